"""Compressed: bodies that came by gzip or deflate are looked into, and packed to as many bytes."""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

__all__ = ["MARKS", "Compressed", "inflate", "refit"]

_GZIP = b"\x1f\x8b\x08"
MARKS = (_GZIP, b"x\x01", b"x^", b"x\x9c", b"x\xda")
"""How the streams of gzip and zlib (HTTP's deflate) begin, by levels of compression."""
_LARGEST = 256 * 1024
"""More of it is not looked into, compressed."""
_LARGEST_PLAIN = 4 << 20
_HEAD = b"\x1f\x8b\x08%c\x00\x00\x00\x00\x02\xff"
_HAS_NAME = 8
_LINE_FEED = 0x0A
_PACKINGS = ((9, 9), (6, 8), (4, 8), (1, 8), (9, 1))
"""Levels of compression and of memory: what one makes of a body may fit where others don't."""
_STORED = b"\0\0\0\xff\xff"
"""A block of deflate that holds nothing, to the end of a byte."""
_TWO = b"\2\0\0\0\xff\xff"
_THREE = b"\2\x08\0\0\0\xff\xff"
"""Such a one after one and two blocks that hold nothing and have ten bits."""
_EMPTY = (b"", _TWO, _THREE, b"\2\x08 \0\0\0\0\xff\xff", _TWO + _THREE)
"""Of sizes that leave each remainder by five."""
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]*\r\n\Z")
_NEXT_CHUNK = re.compile(rb"\r\n([0-9A-Fa-f]{1,8})[^\r\n]*\r\n")


class Compressed(NamedTuple):
    """One stream of gzip or zlib in a text, whole."""

    spans: list[tuple[int, int]]
    """Where it stands; several, where it came in chunks of HTTP."""
    plain: bytes
    size: int
    """How many bytes it has."""
    gzip: bool = True


def inflate(data: bytes, begin: int, place: int, end: int) -> Compressed | None:
    """Return the stream at a place of a text, None for none that is whole.

    One of zlib must begin a text, or a line: it stands in pictures and documents, too.

    Args:
        data: in which the text is.
        begin, end: of the text.
        place: where the stream begins.
    """
    if end - place > _LARGEST:
        return None
    if place > begin and not data.startswith(_GZIP, place) and data[place - 1] != _LINE_FEED:
        return None
    return _inflated(data, [(place, end)]) or _inflated(data, _chunks(data, begin, place, end))


def _chunks(data: bytes, begin: int, place: int, end: int) -> list[tuple[int, int]]:
    """Return where the chunks of HTTP are whose first begins at a place."""
    spans: list[tuple[int, int]] = []
    match = _CHUNK.search(data, max(begin, place - 32), place)
    while match is not None:
        size = int(match[1], 16)
        if size == 0 or place + size > end:
            break
        spans.append((place, place + size))
        match = _NEXT_CHUNK.match(data, place + size, end)
        place = match.end() if match is not None else place
    return spans


def _inflated(data: bytes, spans: list[tuple[int, int]]) -> Compressed | None:
    packed = b"".join(data[begin:end] for begin, end in spans)
    inflater = zlib.decompressobj(47)  # either
    try:
        plain = inflater.decompress(packed, _LARGEST_PLAIN)
    except zlib.error:
        return None
    if not inflater.eof:
        return None
    size = len(packed) - len(inflater.unused_data)
    return Compressed(spans, plain, size, packed.startswith(_GZIP))


def refit(plain: bytes, size: int, *, gzip: bool = True) -> bytes | None:
    """Return a stream of exactly `size` bytes, None where it takes more."""
    if not gzip:
        return _refit_zlib(plain, size)
    body = _deflated(plain, 9, 9)
    tail = zlib.crc32(plain).to_bytes(4, "little") + (len(plain) & 0xFFFFFFFF).to_bytes(4, "little")
    slack = size - 10 - len(body) - 8
    if slack < 0:
        return None
    if slack == 0:
        return _HEAD % 0 + body + tail
    return _HEAD % _HAS_NAME + b"-" * (slack - 1) + b"\0" + body + tail  # a file's name fills it


def _deflated(plain: bytes, level: int, memory: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -15, memory)
    return packer.compress(plain) + packer.flush()


def _refit_zlib(plain: bytes, size: int) -> bytes | None:
    """Return a zlib stream of exactly `size` bytes: blocks that hold nothing fill it."""
    tail = zlib.adler32(plain).to_bytes(4, "big")
    for level, memory in _PACKINGS:
        body = _deflated(plain, level, memory)
        filler = _empty_blocks(size - 2 - len(body) - 4)
        if filler is not None:
            return b"x\xda" + filler + body + tail
        for count in range(1, 8):
            try:
                packed = b"x\xda" + _after_fixed(count, body, size - 6) + tail
                if zlib.decompress(packed) == plain:
                    return packed
            except (OverflowError, ValueError, zlib.error):  # of another size
                continue
    return None


def _after_fixed(count: int, body: bytes, size: int) -> bytes:
    """Return a body of deflate after so many blocks that hold nothing and have ten bits."""
    blocks = sum(0b10 << (10 * place) for place in range(count))
    return (int.from_bytes(body, "little") << (10 * count) | blocks).to_bytes(size, "little")


def _empty_blocks(size: int) -> bytes | None:
    """Return blocks of deflate that hold nothing, of so many bytes; 1 to 4 and 8 can't be."""
    for first in _EMPTY:
        left = size - len(first)
        if left >= 0 and left % len(_STORED) == 0:
            return first + _STORED * (left // len(_STORED))
    return None
