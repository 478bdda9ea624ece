"""Looks: what was found in texts seen lately, so that the same text is looked into once.

Header lines, statements, an upstream's token: most texts of a request were in those before it.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Look", "Looks"]

_MOST, _LARGEST = 2048, 512
"""How many texts are remembered, and how large one is at most, in bytes."""


class Look(NamedTuple):
    """What was found in a text."""

    asks: bool
    """A secret's name has no value there."""
    states: bool
    """It is a statement that does so."""
    added: tuple[tuple[bytes, str, bool], ...]
    """What was given to `SecretSet.add`: value, rule, whether it is a number."""


class Looks:
    """Those of one redactor; when there are too many, all are forgotten."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bool], Look] = {}

    def of(self, text: bytes, *, code: bool) -> Look | None:
        """Return what was found in a text, None for one that is not known."""
        return self._known.get((text, code))

    def keep(self, text: bytes, look: Look, *, code: bool) -> None:
        """Remember what was found; it must follow from the text alone."""
        if len(text) <= _LARGEST:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[text, code] = look
