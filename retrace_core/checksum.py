"""Checksum: the text that stands in a key for content too long to stand there itself."""

from __future__ import annotations

import re
import zlib

__all__ = ["checksum_of", "checksum_text", "crc32_in"]

_SUMMED = re.compile(r"<[0-9]+ bytes, crc32 ([0-9a-f]{8})>")


def checksum_of(data: bytes | bytearray | memoryview) -> str:
    """Return what stands for that content: its length and checksum.

    A text of its own kind, so that replay can tell it from what the application asked for: of
    content whose secrets are masked, the checksum is another one.
    """
    return checksum_text(len(data), zlib.crc32(data))


def checksum_text(length: int, crc32: int) -> str:
    """Return what stands for content of that length in bytes and that checksum."""
    return f"<{length} bytes, crc32 {crc32:08x}>"


def crc32_in(value: object) -> int | None:
    """Return the checksum in such a text, None for anything else."""
    found = _SUMMED.fullmatch(value) if type(value) is str else None
    return int(found[1], 16) if found is not None else None
