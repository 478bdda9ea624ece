"""Brotli streams: one unpacked, and one packed to a given size; where the library is there.

Source: RFC 7932, §9.2: empty blocks of metadata, of one byte each, fill what is left.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any

__all__ = ["is_installed", "refit", "unpack"]

_EMPTY, _LAST = b"\x06", b"\x03"
_STEP = 64
"""So many bytes at once: they may say a lot."""
_QUALITY = 9


@lru_cache(maxsize=1)
def _library() -> Any:
    for name in ("brotli", "brotlicffi"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def is_installed() -> bool:
    """Return True where the library is."""
    return _library() is not None


def unpack(packed: bytes, limit: int) -> tuple[bytes, int] | None:
    """Return (content, size of the stream), None for no whole one.

    Args:
        packed: it, and nothing after it.
        limit: of the content, in bytes.
    """
    library = _library()
    unpacker = library.Decompressor()
    found: list[bytes] = []
    size = 0
    try:
        for begin in range(0, len(packed), _STEP):
            found.append(unpacker.process(packed[begin : begin + _STEP]))
            size += len(found[-1])
            if size > limit:
                return None
    except library.error:
        return None
    return (b"".join(found), len(packed)) if unpacker.is_finished() else None


def refit(plain: bytes, size: int) -> bytes | None:
    """Return a stream of exactly `size` bytes, None where it takes more."""
    packer = _library().Compressor(quality=_QUALITY)
    packed: bytes = packer.process(plain) + packer.flush()
    slack = size - len(packed) - len(_LAST)
    if slack < 0 and len(plain) < 1 << 16:
        packer = _library().Compressor(quality=11)
        packed = packer.process(plain) + packer.flush()
        slack = size - len(packed) - len(_LAST)
    return None if slack < 0 else packed + _EMPTY * slack + _LAST
