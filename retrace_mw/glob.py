"""Glob: patterns in which "*" stands for any text, also for none and for slashes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["compile_globs", "covers"]

_ANY = "\0any\0"


def compile_globs(patterns: Iterable[str]) -> re.Pattern[str]:
    """Return one expression that matches in full what any of the patterns does."""
    found = "|".join(".*".join(map(re.escape, _folded(one).split("*"))) for one in patterns)
    return re.compile(f"(?:{found})", re.DOTALL)


def covers(broad: Iterable[str], narrow: Iterable[str]) -> bool:
    """Return True when every text that `narrow` matches is surely matched by `broad`."""
    matches = compile_globs(broad).fullmatch
    return all(matches(one.replace("*", text)) for one in narrow for text in (_ANY, ""))


def _folded(pattern: str) -> str:
    # "a**b" is "a*b", in an expression that takes less time to fail.
    return re.sub(r"\*+", "*", pattern)
