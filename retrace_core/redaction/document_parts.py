"""Document parts: members of ZIP archives, and streams of PDFs, packed to as many bytes."""

from __future__ import annotations

import base64
import functools
import zlib
from typing import TYPE_CHECKING

from retrace_core.redaction import zlib_streams

if TYPE_CHECKING:
    from retrace_core.zip_archive import Member

__all__ = ["refit_text", "refitting"]


def refitting(member: Member) -> functools.partial[bytes | None]:
    """Return what packs a member again: gets a content as long as its own, and the size of all."""
    sizes = tuple(end - begin for begin, end in member.spans)
    return functools.partial(_refit, sizes=sizes, packed=member.packed)


def refit_text(plain: bytes, size: int) -> bytes | None:
    """Return a stream in ASCII of exactly `size` bytes, None where it takes more.

    Source: ISO 32000-1, §7.4.3: white space in it is nothing.
    """
    text = base64.a85encode(zlib.compress(plain, 9))
    return text.ljust(size, b"\n") if len(text) <= size else None


def _refit(plain: bytes, size: int, *, sizes: tuple[int, ...], packed: int) -> bytes | None:
    """Return what stands in the spans of a member now, None where it takes more."""
    body = zlib_streams.refit_bare(plain, size - sum(sizes) + sizes[packed])
    if body is None:
        return None
    crc = zlib.crc32(plain).to_bytes(4, "little")
    return b"".join(body if which == packed else crc for which in range(len(sizes)))
