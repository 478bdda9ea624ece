"""Compressed: bodies that came by gzip are looked into, and compressed again to as many bytes."""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

__all__ = ["MARK", "Compressed", "inflate", "refit"]

MARK = b"\x1f\x8b\x08"
_LARGEST = 256 * 1024
"""More of it is not looked into, compressed."""
_LARGEST_PLAIN = 4 << 20
_HEAD = b"\x1f\x8b\x08%c\x00\x00\x00\x00\x02\xff"
_HAS_NAME = 8
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]*\r\n\Z")
_NEXT_CHUNK = re.compile(rb"\r\n([0-9A-Fa-f]{1,8})[^\r\n]*\r\n")


class Compressed(NamedTuple):
    """One gzip stream in a text, whole."""

    spans: list[tuple[int, int]]
    """Where it stands; several, where it came in chunks of HTTP."""
    plain: bytes
    size: int
    """How many bytes it has."""


def inflate(data: bytes, begin: int, place: int, end: int) -> Compressed | None:
    """Return the gzip stream at a place of a text, None for none that is whole.

    Args:
        data: in which the text is.
        begin, end: of the text.
        place: where the stream begins.
    """
    if end - place > _LARGEST:
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
    inflater = zlib.decompressobj(31)
    try:
        plain = inflater.decompress(packed, _LARGEST_PLAIN)
    except zlib.error:
        return None
    if not inflater.eof:
        return None
    return Compressed(spans, plain, len(packed) - len(inflater.unused_data))


def refit(plain: bytes, size: int) -> bytes | None:
    """Return a gzip stream of exactly `size` bytes, None where it takes more."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    body = packer.compress(plain) + packer.flush()
    tail = zlib.crc32(plain).to_bytes(4, "little") + (len(plain) & 0xFFFFFFFF).to_bytes(4, "little")
    slack = size - 10 - len(body) - 8
    if slack < 0:
        return None
    if slack == 0:
        return _HEAD % 0 + body + tail
    return _HEAD % _HAS_NAME + b"-" * (slack - 1) + b"\0" + body + tail  # a file's name fills it
