"""Fallback texts: where texts stand in memory and in MessagePack, in pure Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["find_all", "texts_at"]

_PLAIN, _KEY, _FIRST = 0, 1, 2
_TEXT_CODES, _RAW_CODES = (5, 13, 14), (4, 6)
_DEPTH = 256
_SKIPS = {0xCA: 4, 0xCB: 8} | {0xCC + n: 1 << (n & 3) for n in range(8)}
_SIZES = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_FIXED = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_MANY = {0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}


def find_all(
    data: bytes, texts: tuple[bytes, ...], fold: bool, digits: int
) -> list[tuple[int, int]]:
    """Return where each of the texts stands, as (place, number), and runs of digits as -1."""
    searched = data.lower() if fold else data
    found: list[tuple[int, int]] = []
    for number, text in enumerate(texts):
        place = searched.find(text)
        while place >= 0:
            found.append((place, number))
            place = searched.find(text, place + 1)
    if digits > 0:
        run = rb"(?<![0-9])(?<![0-9][ -])[0-9](?:[ -]?[0-9]){%d}" % (digits - 1)
        found += [(match.start(), -1) for match in re.finditer(run, data)]
    return sorted(found)


def texts_at(
    data: bytes, begin: int, end: int, places: list[int]
) -> list[tuple[int, int, int] | None]:
    """Return for each place, in order, the text of a MessagePack stream that it lies in.

    Raises:
        ValueError: it is no MessagePack.
    """
    found: list[tuple[int, int, int] | None] = []
    texts = _Walk(data, begin, end).texts()
    text = next(texts, None)
    for place in places:
        while text is not None and place >= text[1]:
            text = next(texts, None)
        found.append(text if text is not None and text[0] <= place else None)
    return found


class _Walk:
    """One pass over a stream."""

    def __init__(self, data: bytes, begin: int, end: int) -> None:
        self._data, self._place, self._end = data, begin, end
        self._levels: list[list[int]] = []  # [left, size, is a map, is wrapped, is mixed]
        self._wraps = False

    def texts(self) -> Iterator[tuple[int, int, int]]:
        """Yield (begin, end, role) of each text."""
        while self._place < self._end:
            found = self._step()
            if found is not None:
                yield found

    def _number(self, size: int) -> int:
        self._place += size
        self._check()
        return int.from_bytes(self._data[self._place - size : self._place], "big")

    def _check(self) -> None:
        if self._place > self._end:
            raise ValueError(f"no MessagePack at byte {self._place}: it ends early")

    def _step(self) -> tuple[int, int, int] | None:
        head = self._number(1)
        if 0x80 <= head <= 0x9F:
            self._container(head & 0x0F, is_map=head < 0x90)
            return None
        if head in _MANY:
            self._container(self._number(_MANY[head]), is_map=head >= 0xDE)
            return None
        size = head & 0x1F if 0xA0 <= head <= 0xBF else -1
        skip = _SKIPS.get(head, 0)
        if head in _SIZES:
            size = self._number(_SIZES[head])
        elif head in _FIXED or 0xC7 <= head <= 0xC9:
            length = _FIXED.get(head) or self._number(1 << (head - 0xC7))
            code = self._number(1)
            if code in _TEXT_CODES:
                size = length
            elif code in _RAW_CODES:
                skip = length
            else:
                self._wraps = True
                return None
        self._wraps = False
        begin, self._place = self._place, self._place + (skip if size < 0 else size)
        self._check()
        role = self._role()
        self._mixed()
        self._ended()
        return (begin, self._place, role) if size >= 0 else None

    def _container(self, size: int, *, is_map: bool) -> None:
        wrapped, self._wraps = self._wraps, False
        if is_map or size != 2:
            self._mixed()
        if len(self._levels) == _DEPTH:
            raise ValueError("no MessagePack: it is nested too deep")
        if size:
            self._levels.append([size * 2 if is_map else size, size, is_map, wrapped, False])
        else:
            self._ended()

    def _ended(self) -> None:
        while self._levels:
            self._levels[-1][0] -= 1
            if self._levels[-1][0]:
                return
            self._levels.pop()

    def _mixed(self) -> None:
        """Take note that something else than an array of two stands in the innermost array."""
        if self._levels:
            self._levels[-1][4] = True

    def _role(self) -> int:
        if not self._levels:
            return _PLAIN
        left, size, is_map, *_ = self._levels[-1]
        if is_map:
            return _KEY if left % 2 == 0 else _PLAIN
        if size == left == 2 and len(self._levels) > 1:
            above = self._levels[-2]
            return _PLAIN if above[2] or above[3] or above[4] else _FIRST
        return _PLAIN
