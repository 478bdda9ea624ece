"""Gzip streams: one unpacked, and one packed to a given size.

Source: RFC 1952, §2.3: a file's name is of any length, and fills what is left.
"""

from __future__ import annotations

import zlib

from retrace_core.redaction import zlib_streams

__all__ = ["MARK", "refit", "unpack"]

MARK = b"\x1f\x8b\x08"
_HEAD = b"\x1f\x8b\x08%c\x00\x00\x00\x00\x02\xff"
_HAS_NAME = 8
_MEMORY = (9, 8, 7, 6)
"""Levels of memory. Less of it makes shorter blocks, each with a code of its own: of a long text
that is of many kinds (a script, a style sheet) these are smaller, by up to a twentieth. A body
which its server packed tightly (Starlette, by 9 and 8) has no room for a mask by the first."""
_HOPELESS = 0.1
"""By so much of its size too large: another level of memory is no help."""


def unpack(packed: bytes, limit: int) -> tuple[bytes, int] | None:
    """Return (content, size of the stream) of a stream and what follows it, None for no whole one.

    Args:
        packed: begins with it.
        limit: of the content, in bytes.
    """
    return zlib_streams.unpack(packed, limit, window=31)


def refit(plain: bytes, size: int) -> bytes | None:
    """Return a stream of exactly `size` bytes, None where it takes more."""
    tail = zlib.crc32(plain).to_bytes(4, "little") + (len(plain) & 0xFFFFFFFF).to_bytes(4, "little")
    for memory in _MEMORY:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15, memory)
        body = packer.compress(plain) + packer.flush()
        slack = size - 10 - len(body) - 8
        if slack == 0:
            return _HEAD % 0 + body + tail
        if slack > 0:
            return _HEAD % _HAS_NAME + b"-" * (slack - 1) + b"\0" + body + tail
        if -slack > size * _HOPELESS:
            return None
    return None
