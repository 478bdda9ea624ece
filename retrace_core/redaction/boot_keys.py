"""Boot keys: secrets by a name that the start-up had, known in all recordings.

A key that it drew, or read in a file of settings, is shown on a page where nothing names it. It has
a pseudonym on the boot tape, so that a replay would show that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retrace_core import native
from retrace_core.redaction.detectors import DETECTORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["BootKeys", "is_key"]

_MOST = 128
"""So many are looked for."""
_KEY = re.compile(rb"(?=(?:[^0-9]*[0-9]){4})(?=[^a-zA-Z]*[a-zA-Z])[0-9A-Za-z_\-+/=.~]{20,256}")
"""What looks like one: a path, a sentence or a short word stands in many a page by chance."""
_UUID = re.compile(rb"(?=.*[1-9a-fA-F])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""Of whatever digits: some clients count them."""


def is_key(value: bytes) -> bool:
    """Return True for what looks like a key."""
    return (_KEY.fullmatch(value) or _UUID.fullmatch(value)) is not None


class BootKeys:
    """Those of one process, which grow with its boot tape."""

    def __init__(self) -> None:
        self._rules: dict[bytes, str] = {}
        self._texts: tuple[bytes, ...] = ()

    def add(self, found: Iterable[tuple[bytes, str, bool]]) -> None:
        """Add what looks like a key of what was found: value, rule, and whether it is a number."""
        for value, rule, _ in found:
            is_new = value not in self._rules and len(self._rules) < _MOST
            if is_new and rule not in DETECTORS and is_key(value):
                self._rules[value] = rule
                self._texts += (value,)

    def in_any(self, *texts: bytes) -> Iterator[tuple[bytes, str]]:
        """Yield those that stand in one of these texts, with their rules."""
        if not self._texts:
            return
        for text in texts:
            for _, which in native.find_all(text, self._texts, False, 0):
                yield self._texts[which], self._rules[self._texts[which]]
