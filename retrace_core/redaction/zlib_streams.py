"""Zlib streams (HTTP's deflate): one unpacked, and one packed to a given size.

Source: RFC 1950; RFC 1951, §3.2.3: blocks that hold nothing fill what is left.
"""

from __future__ import annotations

import zlib

__all__ = ["MARKS", "refit", "refit_bare", "unpack"]

MARKS = (b"x\x01", b"x^", b"x\x9c", b"x\xda")
"""By levels of compression."""
_PACKINGS = (
    *((9, 9, 0), (6, 8, 0), (4, 8, 0), (1, 8, 0), (9, 1, 0)),
    *((9, 8, zlib.Z_FILTERED), (2, 8, 0), (9, 8, zlib.Z_RLE), (9, 9, zlib.Z_FIXED)),
)
"""Levels of compression and of memory, and strategies: what one makes of a body may fit where
others don't."""
_STORED = b"\0\0\0\xff\xff"
"""A block of deflate that holds nothing, to the end of a byte."""
_TWO = b"\2\0\0\0\xff\xff"
_THREE = b"\2\x08\0\0\0\xff\xff"
"""Such a one after one and two blocks that hold nothing and have ten bits."""
_EMPTY = (b"", _TWO, _THREE, b"\2\x08 \0\0\0\0\xff\xff", _TWO + _THREE)
"""Of sizes that leave each remainder by five."""


def unpack(packed: bytes, limit: int, *, window: int = 15) -> tuple[bytes, int] | None:
    """Return (content, size of the stream) of a stream and what follows it, None for no whole one.

    Args:
        packed: begins with it.
        limit: of the content, in bytes.
        window: as zlib's `wbits` is.
    """
    inflater = zlib.decompressobj(window)
    try:
        plain = inflater.decompress(packed, limit)
    except zlib.error:
        return None
    return (plain, len(packed) - len(inflater.unused_data)) if inflater.eof else None


def refit(plain: bytes, size: int) -> bytes | None:
    """Return a stream of exactly `size` bytes, None where it takes more, or can't be."""
    body = refit_bare(plain, size - 6)
    return None if body is None else b"x\xda" + body + zlib.adler32(plain).to_bytes(4, "big")


def refit_bare(plain: bytes, size: int) -> bytes | None:
    """Return the same of deflate alone, without what zlib puts around it."""
    for level, memory, strategy in _PACKINGS:
        packer = zlib.compressobj(level, zlib.DEFLATED, -15, memory, strategy)
        body = packer.compress(plain) + packer.flush()
        filler = _empty_blocks(size - len(body))
        if filler is not None:
            return filler + body
        for count in range(1, 8):
            try:
                packed = _after_fixed(count, body, size)
            except (OverflowError, ValueError):  # of another size
                continue
            if unpack(packed, len(plain) + 1, window=-15) == (plain, size):
                return packed
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
