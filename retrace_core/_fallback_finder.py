"""Fallback finder: what is looked for again and again, and what is found, in pure Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core._fallback_texts import find_all, texts_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Finder", "hard_events"]

_MOST_LENGTH_BYTES = 4
"""Those before a text may look like digits of a run."""
_HARD, _RETURNED = 0x97, 0
_COUNTED = {head + n: 1 << n for head in (0xC4, 0xC7, 0xD9) for n in range(3)}
"""First byte of bytes, extensions and texts -> how many bytes say how long one is."""
_CONTAINERS = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
"""That of arrays and maps -> how many bytes say how many items, how many values each has."""
_FIXED = {
    **{0xCA: 4, 0xCB: 8},
    **{0xCC + n: 1 << (n & 3) for n in range(8)},
    **{0xD4 + n: 1 + (1 << n) for n in range(5)},
}
_Group = tuple[int, int, int, int, list[tuple[int, int]]]


class Finder:
    """Looks for what `find_all` does.

    Args:
        texts: what is looked for.
        fold: they are in lower case, and stand for either.
        digits: how many a run has at least; 0 for no runs.
    """

    def __init__(self, texts: tuple[bytes, ...], fold: bool, digits: int) -> None:
        if any(len(text) < 2 for text in texts):
            raise ValueError("what is looked for has two bytes at least")
        self._wanted = (texts, fold, digits)

    def find(self, data: bytes) -> list[tuple[int, int]]:
        """Return what `find_all` does."""
        return find_all(data, *self._wanted)

    def in_texts(
        self, data: bytes, regions: Sequence[tuple[int, int] | tuple[Any, ...]]
    ) -> list[_Group]:
        """Return what is found in texts, text by text.

        Args:
            data: in which it is looked for.
            regions: (begin, end, ...) of streams of MessagePack in it, in order.

        Returns:
            (number of the region, begin, end, role, [(place, number), ...]) of each.

        Raises:
            ValueError: a region is no MessagePack.
        """
        hits = self.find(data)
        found: list[_Group] = []
        for number, (begin, end, *_) in enumerate(regions):
            inside = [hit for hit in hits if begin <= hit[0] < end]
            found += _grouped(data, number, begin, end, sorted(inside, key=_looked_up))
        return found


def _looked_up(hit: tuple[int, int]) -> int:
    place, which = hit
    return place if which >= 0 else place + _MOST_LENGTH_BYTES


def _grouped(
    data: bytes, number: int, begin: int, end: int, hits: list[tuple[int, int]]
) -> Iterator[_Group]:
    groups: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
    texts = texts_at(data, begin, end, [*map(_looked_up, hits)]) if hits else []
    for hit, text in zip(hits, texts, strict=True):
        if text is not None:
            groups.setdefault(text, []).append(hit)
    for text, some in groups.items():
        yield (number, *text, some)


def hard_events(data: bytes, begin: int, end: int) -> list[tuple[str, int, int, int]]:
    """Return (kind, where its key begins, where its value does, where that ends).

    Args:
        data: in which a lane is.
        begin, end: of it.

    Returns:
        Those of the hard events that returned.

    Raises:
        ValueError: it is no lane.
    """
    found: list[tuple[str, int, int, int]] = []
    place = begin
    while place < end:
        if data[place] != _HARD:
            place = _after(data, place, end)
            continue
        fields = [place + 1]
        for _ in range(7):
            fields.append(_after(data, fields[-1], end))
        place = fields[7]
        if data[fields[2]] == _RETURNED:
            key, value, finish = fields[3:6]
            found.append((_text(data, fields[1], fields[2]), key, value, finish))
    return found


def _text(data: bytes, place: int, end: int) -> str:
    head = data[place]
    if head & 0xE0 != 0xA0 and head != 0xD9:
        raise ValueError(f"no kind of an event at byte {place}")
    return data[place + (2 if head == 0xD9 else 1) : end].decode()


def _after(data: bytes, place: int, end: int) -> int:
    """Return where the value at a place ends."""
    left = 1
    while left:
        head = data[place] if place < end else 0xC1
        if head == 0xC1:
            raise ValueError(f"no event at byte {place}")
        left -= 1
        place += 1
        size = 0
        if 0x80 <= head <= 0x8F:
            left += 2 * (head & 0x0F)
        elif 0x90 <= head <= 0x9F:
            left += head & 0x0F
        elif 0xA0 <= head <= 0xBF:
            size = head & 0x1F
        elif head in _COUNTED:
            width = _COUNTED[head]
            size = int.from_bytes(data[place : min(place + width, end)], "big")
            place += width + (0xC7 <= head <= 0xC9)
        elif head in _CONTAINERS:
            width, each = _CONTAINERS[head]
            left += each * int.from_bytes(data[place : min(place + width, end)], "big")
            place += width
        else:
            size = _FIXED.get(head, 0)
        place += size
        if place > end:
            raise ValueError(f"no event at byte {place}: it ends early")
    return place
