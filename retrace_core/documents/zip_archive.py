"""ZIP archives (XLSX, DOCX, ...): what they say, and where their packed members stand.

Source: PKWARE's APPNOTE 6.3.10, §4.3.7 (local headers), 4.3.9 (data descriptors), 4.3.12 (the
central directory) and 4.3.16 (its end). Members are read as the directory tells of them, which is
what programs do; not those of ZIP64, nor encrypted ones.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MARK", "Member", "members", "said"]

MARK = b"PK\x03\x04"
"""What each member begins with."""
_END, _ENTRY, _DESCRIPTOR = b"PK\x05\x06", b"PK\x01\x02", b"PK\x07\x08"
_END_SIZE, _ENTRY_SIZE, _LOCAL_SIZE, _CRC_SIZE = 22, 46, 30, 4
_CRC_IN_ENTRY, _CRC_IN_LOCAL = 16, 14
_DEFLATED, _ENCRYPTED, _LATER = 8, 1, 8
"""A method; and flags: it is encrypted, and its checksum comes after it."""
_MOST = 2000
"""More members are not looked at."""


class Member(NamedTuple):
    """One member that is packed by deflate."""

    spans: list[tuple[int, int]]
    """Where its checksums and its packed content stand, in order."""
    packed: int
    """Which of them is the content."""
    plain: bytes


class _Entry(NamedTuple):
    """What the directory says of a member."""

    crc_at: int
    head: bytes
    """Versions, flags, method and date."""
    name: bytes
    flags: int
    method: int
    size: int
    place: int
    """Of the member."""


def members(
    data: bytes, begin: int, end: int, limit: int, at: int | None = None
) -> Iterator[Member]:
    """Yield the packed members of the archives that stand whole in a text.

    Args:
        data: in which the text is.
        begin, end: of the text.
        limit: of what is in a member, in bytes; those with more are left out.
        at: where the one begins that is meant, None for all of them.
    """
    for entry in _entries(data, begin, at if at is not None else begin, end):
        if at is not None and entry.place != at:
            continue
        packed = _packed(data, entry)
        if packed is None or entry.method != _DEFLATED:
            continue
        plain = _inflated(data[slice(*packed)], limit)
        if plain is None:
            continue
        crc = zlib.crc32(plain).to_bytes(_CRC_SIZE, "little")
        places = [entry.place + _CRC_IN_LOCAL, entry.crc_at]
        if entry.flags & _LATER:
            places[0] = packed[1]
            if data.startswith(_DESCRIPTOR, packed[1]):
                places[0] += len(_DESCRIPTOR)
        if any(data[place : place + _CRC_SIZE] != crc for place in places):
            continue
        spans = sorted([packed, *((place, place + _CRC_SIZE) for place in places)])
        yield Member(spans, spans.index(packed), plain)


def said(body: bytes, limit: int) -> bytes | None:
    """Return what an archive says: heads, names and contents in order; None for what is none.

    Args:
        body: begins with it; padded with anything.
        limit: of what is in a member, in bytes; one with more makes it None.
    """
    if not body.startswith(MARK):
        return None
    parts: list[bytes] = []
    for entry in _entries(body, 0, 0, len(body)):
        packed = _packed(body, entry)
        if packed is None:
            return None
        plain: bytes | None = body[slice(*packed)]
        if plain is not None and entry.method == _DEFLATED:
            plain = _inflated(plain, limit)
        if plain is None:
            return None
        parts += (entry.head, entry.name, b"\0", plain)
    return b"".join(parts) if parts else None


def _entries(data: bytes, begin: int, after: int, end: int) -> Iterator[_Entry]:
    """Yield the entries of the archives that end after a place."""
    close = data.find(_END, after, end)
    while close >= 0 and close + _END_SIZE <= end:
        count, size, offset = struct.unpack_from("<10xHLL", data, close)
        start, place = close - size - offset, close - size
        if start >= begin and count <= _MOST and data.startswith(MARK, start):
            for _ in range(count):
                if not data.startswith(_ENTRY, place) or place + _ENTRY_SIZE > close:
                    break
                flags, method, _, _, packed = struct.unpack_from("<8xHHLLL", data, place)
                name, extra, comment = struct.unpack_from("<28xHHH", data, place)
                (local,) = struct.unpack_from("<42xL", data, place)
                crc_at = place + _CRC_IN_ENTRY
                head, text = data[place:crc_at], place + _ENTRY_SIZE
                yield _Entry(
                    crc_at, head, data[text : text + name], flags, method, packed, start + local
                )
                place = text + name + extra + comment
        close = data.find(_END, close + _END_SIZE, end)


def _packed(data: bytes, entry: _Entry) -> tuple[int, int] | None:
    """Return where the content of a member stands, None where it can't be read."""
    if entry.flags & _ENCRYPTED or not data.startswith(MARK, entry.place):
        return None
    name, extra = struct.unpack_from("<26xHH", data, entry.place)
    first = entry.place + _LOCAL_SIZE + name + extra
    return (first, first + entry.size) if first + entry.size <= entry.crc_at else None


def _inflated(packed: bytes, limit: int) -> bytes | None:
    inflater = zlib.decompressobj(-15)
    try:
        plain = inflater.decompress(packed, limit)
    except zlib.error:
        return None
    return plain if inflater.eof and not inflater.unused_data else None
