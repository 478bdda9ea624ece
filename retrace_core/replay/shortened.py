"""Shortened: masks whose ends gave way, so that a compressed body could be packed again.

What the code reads in such a body (`ryw@example.000`) stands whole in what was recorded of it
elsewhere (`ryw@example.com`): it is the same text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Shortened", "is_shortened", "shortened"]

_FILLERS = b"0123578e"
"""One of these stands in the place of each character of the end."""
_POOR, _POORER = re.compile(rb"[A-Za-z0-9]"), re.compile(rb"[A-Za-z0-9_-]")
_LEAST = 2
"""Of a mask with fewer characters left nobody can tell which it was."""
_MOST = 64
"""So many that begin alike are compared with each other."""


def is_shortened(whole: bytes, now: bytes) -> bool:
    """Return True where a text is a mask with its end filled up, and not the mask itself."""
    if len(now) != len(whole) or now == whole:
        return False
    kept = next(place for place in range(len(now)) if now[place] != whole[place])
    filler, end = now[kept : kept + 1], whole[kept:]
    return filler in _FILLERS and any(
        now[kept:] == poor.sub(filler, end) for poor in (_POOR, _POORER)
    )


class Shortened:
    """Those that the recordings of this process have, and what each was before."""

    def __init__(self) -> None:
        self._alike: dict[tuple[int, bytes], list[bytes]] = {}
        """Length and beginning -> masks."""
        self._whole: dict[bytes, bytes] = {}

    def note(self, masks: Iterable[bytes]) -> None:
        """Take note of the masks of a recording."""
        for mask in masks:
            alike = self._alike.setdefault((len(mask), mask[:_LEAST]), [])
            if len(alike) == _MOST or mask in alike:
                continue
            for other in alike:
                self._note(mask, other)
                self._note(other, mask)
            alike.append(mask)

    def _note(self, whole: bytes, shortened: bytes) -> None:
        known = self._whole.get(shortened)
        if is_shortened(whole, shortened) and (known is None or is_shortened(whole, known)):
            self._whole[shortened] = whole

    def lengthened(self, data: bytes) -> bytes:
        """Return what the code says with masks as they were before they were shortened."""
        for shortened, whole in self._whole.items():
            data = data.replace(shortened, whole)
        return data


shortened = Shortened()
