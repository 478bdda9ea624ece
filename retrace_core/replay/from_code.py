"""From code: the true texts of pseudonyms, where they stand in the code that is replayed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from retrace_core.code_literals import file_of, literals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from retrace_core.recording import OfCode

__all__ = ["code_texts"]


def code_texts(places: Sequence[OfCode]) -> Iterator[tuple[bytes, bytes]]:
    """Yield (pseudonym, what it stands for) of those that are found.

    Where the code was changed meanwhile, some may not be.

    Args:
        places: where they are.
    """
    for one in places:
        for text, number in literals(_source(one.module)):
            if number == one.number and len(text) == one.length:
                yield one.mask, text


def _source(name: str) -> bytes:
    file = file_of(_module(name))
    if not file.endswith(".py"):
        return b""
    try:
        with open(file, "rb") as source:
            return source.read()
    except OSError:
        return b""


def _module(name: str) -> ModuleType | None:
    found = sys.modules.get(name)
    if found is not None:
        return found
    main = sys.modules.get("__main__")
    stem = os.path.basename(getattr(main, "__file__", None) or "").removesuffix(".py")
    return main if stem == name else None
