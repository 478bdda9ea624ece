"""PDF documents: what they say, and where their packed streams stand.

Source: ISO 32000-1, §7.3.8 (streams), 7.4.3 (ASCII85Decode, as ReportLab writes them), 7.4.4
(FlateDecode), 7.5.4 (the table of places) and 14.4 (identifiers, digests of what it says).
"""

from __future__ import annotations

import base64
import re
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MARK", "TEXT_END", "Stream", "said", "stream_before", "streams"]

MARK = b"%PDF-"
TEXT_END = b"~>endstream"
"""What stands after a stream that is written in ASCII."""
_BEGIN = re.compile(rb"(?<!end)stream\r?\n")
_END = b"endstream"
_ZLIB = (b"x\x01", b"x^", b"x\x9c", b"x\xda")
_SIZES = re.compile(
    rb"(?<=/Length)\s+[0-9]+(?!\s+[0-9]+\s+R)"
    rb"|\bxref\s+[0-9]+ [0-9]+\s+(?:[0-9]{10} [0-9]{5} [nf]\s+)+|\bstartxref\s+[0-9]+"
    rb"|/ID\s*\[\s*<[0-9A-Fa-f]*>\s*<[0-9A-Fa-f]*>\s*\]"
)
"""What is another where a stream is packed to another size."""


class Stream(NamedTuple):
    """One that is packed."""

    begin: int
    end: int
    """Without what ends a text in ASCII."""
    plain: bytes
    is_text: bool
    """It is written in ASCII."""


def streams(data: bytes, limit: int) -> Iterator[Stream]:
    """Yield the packed streams of the documents in a text.

    Args:
        data: the text.
        limit: of what is in one, in bytes; those with more are left out.
    """
    place = 0
    while (match := _BEGIN.search(data, place)) is not None:
        place = data.find(_END, match.end())
        if place < 0:
            return
        found = _unpacked(data, match.end(), place, limit)
        if found is not None:
            yield found


def stream_before(data: bytes, begin: int, place: int, limit: int) -> Stream | None:
    """Return the stream in ASCII that ends at a place of a text, None for none.

    Args:
        data: in which the text is.
        begin: of the text.
        place: where `TEXT_END` stands.
        limit: of what is in it, in bytes.
    """
    first = data.rfind(b"stream", begin, place)
    match = _BEGIN.match(data, first) if first >= 0 else None
    if match is None:
        return None
    return _unpacked(data, match.end(), place + 2, limit)


def said(body: bytes, limit: int) -> bytes | None:
    """Return what a document says, its streams unpacked, without sizes; None for what is none.

    Args:
        body: the whole of it.
        limit: of what is in a stream, in bytes; one with more is left packed.
    """
    if not body.startswith(MARK):
        return None
    parts: list[bytes] = []
    place = 0
    for one in streams(body, limit):
        parts += (_SIZES.sub(b"", body[place : one.begin]), one.plain)
        place = one.end
    return b"".join((*parts, _SIZES.sub(b"", body[place:])))


def _unpacked(data: bytes, begin: int, end: int, limit: int) -> Stream | None:
    packed = data[begin:end]
    is_text = packed.endswith(b"~>")
    if is_text:
        end -= 2
        try:
            packed = base64.a85decode(data[begin:end])
        except ValueError:
            return None
    if not packed.startswith(_ZLIB):
        return None
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(packed, limit)
    except zlib.error:
        return None
    if not inflater.eof:
        return None
    if not is_text:
        end -= len(inflater.unused_data)
    return Stream(begin, end, plain, is_text)
