"""In boot: which of the masked secrets the process's boot tape has in the clear.

It was written before anybody could know that they are secrets. The recording says where one
stands there, so that a replay, whose code got the true one at its start-up, is told the true one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.boot.texts import LEAST, BootText, drawn_in, texts_in
from retrace_core.recording import OfBoot

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["InBoot"]

_MOST_TEXTS = 50_000
"""So many take some 10 MB."""
_MOST_BYTES = 2 << 20
"""Of all lanes together; to look through so much takes a few tenths of a second."""


class InBoot:
    """The texts of the boot tape of this process, which become more with each of its files."""

    def __init__(self) -> None:
        self._tape, self._bytes = "", 0
        self._places: dict[bytes, tuple[str, str, BootText]] = {}
        self._drawn: list[tuple[str, str, BootText]] = []

    def add(self, tape: str, file: str, lanes: Iterable[tuple[str, bytes]]) -> None:
        """Add what stands in a file of the tape.

        Args:
            tape: its id; a fork has another one.
            file: span id of the file.
            lanes: id and encoded events of each, as they are written.
        """
        if tape != self._tape:
            self._tape, self._bytes, self._places, self._drawn = tape, 0, {}, []
        for lane, data in lanes:
            self._bytes += len(data)
            if self._bytes > _MOST_BYTES:
                continue
            self._drawn += [(file, lane, one) for one in drawn_in(data)]
            for one in texts_in(data):
                if len(self._places) >= _MOST_TEXTS:
                    return
                self._places.setdefault(one.text, (file, lane, one))

    def of(self, pairs: Iterable[tuple[bytes, bytes]]) -> list[OfBoot]:
        """Return where those secrets stand that do.

        Args:
            pairs: as they may be written, with their pseudonyms.
        """
        found: dict[bytes, OfBoot] = {}
        for text, mask in pairs if self._places or self._drawn else ():
            known = self._places.get(text) or self._drawn_for(text)
            if known is not None:
                file, lane, one = known
                found[mask] = OfBoot(mask, file, lane, one.place, one.size, one.form)
        return list(found.values())

    def _drawn_for(self, text: bytes) -> tuple[str, str, BootText] | None:
        for file, lane, one in self._drawn if len(text) >= LEAST else ():
            place = one.text.find(text)
            if place >= 0:
                return file, lane, BootText(text, place, len(text), one.form)
        return None
