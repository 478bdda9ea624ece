"""Zstandard frames: one unpacked, and one packed to a given size.

Source: RFC 8878, §3.1.1: empty blocks of three bytes, and a field of 4 or 8 bytes for the size of
the content, fill what is left.
"""

from __future__ import annotations

import io

import zstandard

__all__ = ["MARK", "refit", "unpack"]

MARK = b"\x28\xb5\x2f\xfd"
_MOST_WINDOW = 1 << 23
_LEVELS = (19, 12, 6, 3, 1)
_RLE = 1
_PLAIN_HEAD = 6
"""Mark, descriptor, window: of a frame without the size of its content."""
_EMPTY = b"\0\0\0"
_FIELDS = {0: (0, 0), 1: (2, 4), 2: (3, 8)}
"""What is left over of threes -> (flag, size) of the field that makes it up."""


def unpack(packed: bytes, limit: int) -> tuple[bytes, int] | None:
    """Return (content, size of the frame) of a frame and what follows it, None for no whole one.

    Args:
        packed: begins with it.
        limit: of the content, in bytes.
    """
    blocks = _blocks(packed)
    if blocks is None:
        return None
    size = blocks[1]
    unpacker = zstandard.ZstdDecompressor(max_window_size=_MOST_WINDOW)
    try:
        with unpacker.stream_reader(io.BytesIO(packed[:size])) as reader:
            plain = reader.read(limit + 1)
    except (zstandard.ZstdError, MemoryError):
        return None
    return (plain, size) if len(plain) <= limit else None


def _blocks(packed: bytes) -> tuple[int, int] | None:
    """Return (where the last block begins, where the frame ends), None where it does not."""
    if len(packed) < _PLAIN_HEAD:
        return None
    descriptor = packed[4]
    is_single = descriptor >> 5 & 1
    place = 6 - is_single + (0, 1, 2, 4)[descriptor & 3]
    place += (is_single, 2, 4, 8)[descriptor >> 6]
    while place + 3 <= len(packed):
        head = int.from_bytes(packed[place : place + 3], "little")
        begin = place
        place += 3 + (1 if head >> 1 & 3 == _RLE else head >> 3)
        if head & 1:
            place += 4 * (descriptor >> 2 & 1)
            return (begin, place) if place <= len(packed) else None
    return None


def refit(plain: bytes, size: int) -> bytes | None:
    """Return a frame of exactly `size` bytes, None where it takes more."""
    for level in _LEVELS:
        packer = zstandard.ZstdCompressor(level, write_content_size=False)
        packed = packer.compress(plain)
        slack = size - len(packed)
        flag, field = _FIELDS[slack % 3]
        if slack < field:
            continue
        blocks = _blocks(packed)
        assert blocks is not None
        last, _ = blocks
        head = packed[:4] + bytes((packed[4] | flag << 6, packed[5]))
        told = len(plain).to_bytes(8, "little")[:field]
        empty = _EMPTY * ((slack - field) // 3)
        return head + told + packed[_PLAIN_HEAD:last] + empty + packed[last:]
    return None
