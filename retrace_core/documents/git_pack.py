"""Packs of Git: what they say, and where their packed objects stand.

Source: Git's Documentation/gitformat-pack.txt (version 2), gitprotocol-common.txt (packets) and
gitprotocol-pack.txt (bands). In Git's own protocol a pack follows lines in packets, or comes in
packets itself, as band 1 of each, which may cut its objects anywhere.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CONTENT_TYPES", "MARK", "Object", "objects", "said", "spans_in_packets"]

MARK = b"PACK\0\0\0\2"
"""What each begins with."""
CONTENT_TYPES = (b"x-git-upload-pack-result", b"x-git-receive-pack-request")
"""Of bodies in which one comes in packets."""
_COUNT_SIZE, _ID_SIZE, _LENGTH_SIZE = 4, 20, 4
_BY_PLACE, _BY_ID = 6, 7
"""Kinds of objects that say how they differ from another."""
_DATA = 1
"""A band."""
_LENGTH = re.compile(rb"[0-9a-f]{4}")
_PAST = 64
"""So many bytes more than its content a packed object may have before it is read in turns."""


class Object(NamedTuple):
    """One object of a pack."""

    begin: int
    end: int
    """Where its packed content stands in the pack."""
    head: bytes
    """Its kind, and which other one it differs from, if that is said by an id."""
    plain: bytes


def objects(pack: bytes, limit: int) -> Iterator[Object]:
    """Yield the objects of a pack in order, as far as they can be read.

    Args:
        pack: begins with one.
        limit: of what is in an object, in bytes; the first with more ends it.
    """
    first = len(MARK) + _COUNT_SIZE
    if not pack.startswith(MARK) or len(pack) < first:
        return
    place = first
    view = memoryview(pack)
    for _ in range(int.from_bytes(pack[len(MARK) : first], "big")):
        try:
            kind, size, place = _head(pack, place)
            head = bytes((kind,))
            if kind == _BY_ID:
                head += pack[place : place + _ID_SIZE]
                place += _ID_SIZE
            elif kind == _BY_PLACE:
                place = _after_number(pack, place)
        except IndexError:  # it ends here
            return
        found = _inflated(view, place, size) if size <= limit else None
        if found is None:
            return
        plain, end = found
        yield Object(place, end, head, plain)
        place = end


def spans_in_packets(text: bytes) -> list[tuple[int, int]]:
    """Return where a pack stands in a text of packets, piece by piece; empty for none."""
    lines, pack = _packets(text)
    return pack if lines is not None else []


def said(body: bytes, limit: int) -> bytes | None:
    """Return what a pack says, and the lines around it, without sizes; None for what is none.

    Nor do the order of its objects and the checksum at its end count: a pack is a set, which Git's
    servers fill from sets of ids, and those of a replay may be masked.

    Args:
        body: the whole of it, or the packets in which it is.
        limit: of what is in an object, in bytes; one with more makes it None.
    """
    lines, spans = ([], [(0, len(body))]) if body.startswith(MARK) else _packets(body)
    if lines is None or not spans:
        return None
    pack = b"".join(body[begin:end] for begin, end in spans)
    found = list(objects(pack, limit))
    count = pack[len(MARK) : len(MARK) + _COUNT_SIZE]
    if len(found) != int.from_bytes(count, "big"):
        return None
    return b"\0".join([*lines, count, *sorted(one.head + one.plain for one in found)])


def _packets(text: bytes) -> tuple[list[bytes] | None, list[tuple[int, int]]]:
    """Return the lines of a text of packets, and where a pack stands; None where it is none."""
    lines: list[bytes] = []
    spans: list[tuple[int, int]] = []
    place = 0
    while place < len(text):
        if not spans and text.startswith(MARK, place):
            return lines, [(place, len(text))]
        match = _LENGTH.match(text, place)
        size = int(match[0], 16) if match is not None else -1
        end = place + max(size, _LENGTH_SIZE)
        if size < 0 or end > len(text):
            return None, []
        begin = place + _LENGTH_SIZE
        if text[begin:end].startswith(bytes((_DATA,))):
            spans.append((begin + 1, end))
        elif begin < end:
            lines.append(text[begin:end])
        place = end
    return lines, spans


def _head(pack: bytes, place: int) -> tuple[int, int, int]:
    """Return (kind, size of the content, what follows) of the object at a place."""
    byte = pack[place]
    kind, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 0x80:
        place += 1
        byte = pack[place]
        size |= (byte & 0x7F) << shift
        shift += 7
    return kind, size, place + 1


def _after_number(pack: bytes, place: int) -> int:
    while pack[place] & 0x80:
        place += 1
    return place + 1


def _inflated(pack: memoryview, place: int, size: int) -> tuple[bytes, int] | None:
    """Return a content and where it ends, None for another than is said to be there."""
    inflater = zlib.decompressobj()
    plain = b""
    while not inflater.eof:
        piece = pack[place : place + size + _PAST]
        try:
            plain += inflater.decompress(piece, size - len(plain) + 1)
        except zlib.error:
            return None
        if not piece or len(plain) > size:
            return None
        place += len(piece) - len(inflater.unused_data)
    return (plain, place) if len(plain) == size else None
