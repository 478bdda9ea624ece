"""MessagePack, as far as finding secrets needs it: what stands at a place, and where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Token", "integer_bytes", "items", "token_at"]

_TEXT_CODES, _RAW_CODES = (5, 13, 14), (4, 6)
_FIXED = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}


class Token(NamedTuple):
    """One header, with the content of what has no parts."""

    kind: Literal["text", "int", "array", "map", "wrap", "other"]
    begin: int
    """Where its content begins; of a container its first item."""
    end: int
    size: int = 0
    """How many items a container has."""


def token_at(data: bytes, place: int) -> Token:
    """Return the token at a place.

    Raises:
        ValueError: there is none in full.
    """
    head = data[place] if place < len(data) else 0xC1
    if head <= 0x7F or head >= 0xE0:
        return Token("int", place, place + 1)
    if head <= 0x9F:
        return Token("map" if head <= 0x8F else "array", place + 1, place + 1, head & 0x0F)
    if head <= 0xBF:
        return _text(data, place + 1, head & 0x1F)
    if 0xC4 <= head <= 0xC6:
        return _sized(data, place, 1 << (head - 0xC4))
    if 0xD9 <= head <= 0xDB:
        return _sized(data, place, 1 << (head - 0xD9))
    if 0xDC <= head <= 0xDF:
        width = 4 if head & 1 else 2
        size = int.from_bytes(data[place + 1 : place + 1 + width], "big")
        begin = place + 1 + width
        return Token("map" if head >= 0xDE else "array", begin, begin, size)
    if 0xCC <= head <= 0xD3:
        return Token("int", place, place + 1 + (1 << ((head - 0xCC) & 3)))
    if head in _FIXED or 0xC7 <= head <= 0xC9:
        return _extension(data, place, head)
    if head == 0xC1:
        raise ValueError(f"no MessagePack at byte {place}")
    return Token("other", place, place + {0xCA: 5, 0xCB: 9}.get(head, 1))


def _text(data: bytes, begin: int, size: int) -> Token:
    if begin + size > len(data):
        raise ValueError(f"no MessagePack at byte {begin}: it ends early")
    return Token("text", begin, begin + size)


def _sized(data: bytes, place: int, width: int) -> Token:
    begin = place + 1 + width
    return _text(data, begin, int.from_bytes(data[place + 1 : begin], "big"))


def _extension(data: bytes, place: int, head: int) -> Token:
    width = 0 if head in _FIXED else 1 << (head - 0xC7)
    begin = place + 2 + width
    size = _FIXED.get(head) or int.from_bytes(data[place + 1 : place + 1 + width], "big")
    if begin + size > len(data):
        raise ValueError(f"no MessagePack at byte {place}: it ends early")
    code = data[begin - 1]
    if code in _TEXT_CODES:
        return Token("text", begin, begin + size)
    if code in _RAW_CODES:
        return Token("other", begin, begin + size)
    return Token("wrap", begin, begin + size)


def items(data: bytes, place: int) -> Iterator[Token]:
    """Yield the leaves of the value at a place, those of arrays in arrays one after another.

    A map, of which the order says nothing, has none.
    """
    waiting = 1
    while waiting:
        waiting -= 1
        token = token_at(data, place)
        place = token.end
        if token.kind == "wrap":
            place, waiting = token.begin, waiting + 1
        elif token.kind == "array":
            waiting += token.size
        elif token.kind == "map":
            return
        else:
            yield token


def integer_bytes(value: int) -> bytes:
    """Return a number as both our encoders write it."""
    if -0x20 <= value < 0x80:
        return bytes((value & 0xFF,))
    head = 0xCC if value > 0 else 0xD0
    for number, width in enumerate((1, 2, 4, 8)):
        limit = 1 << (8 * width - (value < 0))
        if -limit <= value < limit:
            return bytes((head + number,)) + value.to_bytes(width, "big", signed=value < 0)
    raise ValueError("longer than 64 bit")
