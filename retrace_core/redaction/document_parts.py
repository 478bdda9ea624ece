"""Document parts: members of archives, streams of PDFs, objects of Git, packed to as many bytes."""

from __future__ import annotations

import base64
import functools
import zlib
from typing import TYPE_CHECKING

from retrace_core.redaction import zlib_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrace_core.documents.git_pack import Object
    from retrace_core.documents.zip_archive import Member

__all__ = ["refit_text", "refitting", "refitting_objects"]


def refitting(member: Member) -> functools.partial[bytes | None]:
    """Return what packs a member again: gets a content as long as its own, and the size of all."""
    sizes = tuple(end - begin for begin, end in member.spans)
    return functools.partial(_refit, sizes=sizes, packed=member.packed)


def refitting_objects(pack: bytes, objects: Sequence[Object]) -> functools.partial[bytes | None]:
    """Return what packs the objects of a pack again: gets their contents, a nought between them."""
    parts = [(one.plain, pack[one.begin : one.end]) for one in objects]
    return functools.partial(_refit_objects, parts=parts)


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


def _refit_objects(now: bytes, size: int, *, parts: list[tuple[bytes, bytes]]) -> bytes | None:
    """Return what stands in their places now, None where one takes more."""
    made: list[bytes] = []
    place = 0
    for plain, packed in parts:
        text = now[place : place + len(plain)]
        place += len(plain) + 1
        again = packed if text == plain else zlib_streams.refit(text, len(packed))
        if again is None:
            return None
        made.append(again)
    return b"".join(made)
