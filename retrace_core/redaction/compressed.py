"""Compressed: bodies that came packed are looked into, and packed again to as many bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from retrace_core.documents import git_pack, packed_document, pdf_document, zip_archive
from retrace_core.redaction import (
    brotli_streams,
    document_parts,
    gzip_streams,
    zlib_streams,
    zstd_frames,
)
from retrace_core.redaction.bodies import bodies_of_lane, body_of_part, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from retrace_core.redaction.bodies import Spans
    from retrace_core.redaction.replacing import Region

    Refit = Callable[[bytes, int], bytes | None]

__all__ = [
    "HEADER_MARKS",
    "MARKS",
    "Compressed",
    "content",
    "has_no_body",
    "inflate",
    "is_stream",
    "opaque_spans",
    "packed_bodies",
    "packed_body",
]

MARKS = (
    *(gzip_streams.MARK, zstd_frames.MARK, *zlib_streams.MARKS),
    *(zip_archive.MARK.lower(), pdf_document.TEXT_END, git_pack.MARK.lower()),
)
"""What a stream, or an archive's member, begins with, in any case, or a document's stream in ASCII
ends with. One of brotli begins with anything: headers tell of it."""
_ANSWER, _HEAD_END = b"http/1.", b"\r\n\r\n"
_STATUS_LINE = 13
"""How long it is at least."""
HEADER_MARKS = (b"content-encoding", b"content_encoding", _ANSWER, *git_pack.CONTENT_TYPES)
"""What tells of one in headers: its first bytes may have come in several pieces, or say nothing.
The headers may have come in several pieces, too."""
_BROTLI = re.compile(rb"content-encoding(?:: ?|\xa2|\xc4\x02)br(?![a-z0-9_-])", re.IGNORECASE)
_LINE_FEED = 0x0A
_FLAGS = 3
"""Place of the byte of gzip that says what stands beside the content."""
_LARGEST = 256 * 1024
"""More of it is not looked into, compressed."""
_LARGEST_PLAIN = 4 << 20
_LARGEST_COMPARED = 1 << 28
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]*\r\n\Z")
_NEXT_CHUNK = re.compile(rb"\r\n([0-9A-Fa-f]{1,8})[^\r\n]*\r\n")


_CODINGS = (
    (None, brotli_streams.unpack, brotli_streams.refit),
    (gzip_streams.MARK, gzip_streams.unpack, gzip_streams.refit),
    (zstd_frames.MARK, zstd_frames.unpack, zstd_frames.refit),
    *((mark, zlib_streams.unpack, zlib_streams.refit) for mark in zlib_streams.MARKS),
)


class Compressed(NamedTuple):
    """One stream in a recording, whole."""

    spans: Spans
    """Where it stands; several, where it came in chunks or reads."""
    plain: bytes
    size: int
    """How many bytes it has."""
    refit: Refit
    """Packs its content again: gets that, and how many bytes it may take."""
    has_names: bool = False
    """Texts stand beside its content, like the name of a file."""
    is_spread: bool = False
    """It came in several pieces, or nothing but a header tells of it."""


def _is_brotli(head: bytes) -> bool:
    """Return True where headers say that a body is compressed by brotli, and nothing else."""
    return _BROTLI.search(head) is not None


def has_no_body(data: bytes, begin: int, place: int, end: int) -> bool:
    """Return True for a mark that is no more than the name of a protocol, or has all headers.

    Args:
        data: in which the text is.
        begin, end: of the text.
        place: of the mark.
    """
    if data[place : place + len(_ANSWER)].lower() != _ANSWER:
        return False
    return place > begin or end - place < _STATUS_LINE or data.find(_HEAD_END, place, end) >= 0


def inflate(data: bytes, begin: int, place: int, end: int) -> Compressed | None:
    """Return the stream at a place of a text, None for none that is whole.

    One of zlib must begin a text, or a line: it stands in pictures and documents, too.

    Args:
        data: in which the text is.
        begin, end: of the text.
        place: where the stream begins, by its mark.
    """
    if end - place > _LARGEST:
        return None
    if data.startswith(zip_archive.MARK, place):
        found = zip_archive.members(data, begin, end, _LARGEST_PLAIN, at=place)
        return next(map(_of_member, found), None)
    if data.startswith(pdf_document.TEXT_END, place):
        text = pdf_document.stream_before(data, begin, place, _LARGEST_PLAIN)
        return None if text is None else _of_stream(text)
    if data.startswith(git_pack.MARK, place):
        return next(_objects(data[:end], [(place, end)]), None)
    if place > begin and data.startswith(zlib_streams.MARKS, place):
        if data[place - 1] != _LINE_FEED:
            return None
    return _inflated(data, [(place, end)]) or _inflated(data, _chunks(data, begin, place, end))


def packed_bodies(
    data: bytes, region: Region, done: Sequence[Compressed]
) -> Iterator[Compressed | Spans]:
    """Yield the bodies that came in several pieces, or of whose coding only a header tells.

    Args:
        data: a recording.
        region: of a lane, or of another part of it.
        done: what is known of it already.

    Yields:
        One that can be looked into; or where one stands that nobody here can look into.
    """
    known = {one.spans[0] for one in done}
    part = None if region.lane else body_of_part(data, region)
    for body in bodies_of_lane(data, region) if region.lane else [part] if part else []:
        brotli = _is_brotli(body.head)
        if brotli and body.spans and not brotli_streams.is_installed():
            yield body.spans
            continue
        found = _inflated(data, body.spans, brotli=brotli)
        several = [] if found is None else [found]
        for one in [*several, *_spread_parts(data, body.spans)]:
            if one.spans[0] not in known:
                yield one._replace(is_spread=True)


def is_stream(text: bytes) -> bool:
    """Return True for a text that begins as a packed stream, by gzip or zstd, does."""
    return text.startswith((gzip_streams.MARK, zstd_frames.MARK))


def packed_body(data: bytes, spans: Sequence[tuple[int, int]]) -> Compressed | None:
    """Return a body that came in several pieces, None where it is none that can be looked into."""
    found = _inflated(data, list(spans))
    return None if found is None else found._replace(is_spread=True)


def _spread_parts(data: bytes, spans: Spans) -> Iterator[Compressed]:
    """Yield the packed parts of archives and documents that came in several pieces."""
    if sum(end - begin for begin, end in spans) > _LARGEST:
        return
    text = b"".join(data[begin:end] for begin, end in spans)
    if len(spans) > 1 or git_pack.spans_in_packets(text):
        for one in _parts(text):
            where = [place for span in one.spans for place in pieces(spans, [span])]
            yield one._replace(spans=where)


def _parts(text: bytes) -> Iterator[Compressed]:
    """Yield the packed parts of the archives and documents in a text."""
    yield from map(_of_member, zip_archive.members(text, 0, len(text), _LARGEST_PLAIN))
    if pdf_document.MARK in text:
        yield from map(_of_stream, pdf_document.streams(text, _LARGEST_PLAIN))
    whole = [(0, len(text))] if text.startswith(git_pack.MARK) else []
    yield from _objects(text, whole or git_pack.spans_in_packets(text))


def _objects(text: bytes, spans: Spans) -> Iterator[Compressed]:
    """Yield what is packed in a pack of Git's as one, which stands there in a text."""
    pack = b"".join(text[begin:end] for begin, end in spans)
    objects = list(git_pack.objects(pack, _LARGEST_PLAIN))
    if objects:
        where = pieces(spans, [(one.begin, one.end) for one in objects])
        plain = b"\0".join(one.plain for one in objects)
        size = sum(one.end - one.begin for one in objects)
        yield Compressed(where, plain, size, document_parts.refitting_objects(pack, objects))


def _with_parts(plain: bytes, refit: Refit) -> tuple[bytes, Refit]:
    """Return what is in a stream, and what packs it, also where that is a document.

    What is in its packed parts then follows it, each after a nought.
    """
    parts = list(_parts(plain)) if plain.startswith(packed_document.MARKS) else []
    if not parts:
        return plain, refit

    def refit_all(now: bytes, size: int) -> bytes | None:
        made, place = bytearray(now[: len(plain)]), len(plain) + 1
        for one in parts:
            text = now[place : place + len(one.plain)]
            place += len(one.plain) + 1
            packed: bytes | None = b"".join(plain[begin:end] for begin, end in one.spans)
            if text != one.plain:
                packed = one.refit(text, one.size)
            if packed is None:
                return None
            for begin, end in one.spans:
                made[begin:end], packed = packed[: end - begin], packed[end - begin :]
        return refit(bytes(made), size)

    return b"\0".join([plain, *(one.plain for one in parts)]), refit_all


def _of_stream(stream: pdf_document.Stream) -> Compressed:
    span = (stream.begin, stream.end)
    refit = document_parts.refit_text if stream.is_text else zlib_streams.refit
    return Compressed([span], stream.plain, stream.end - stream.begin, refit)


def _of_member(member: zip_archive.Member) -> Compressed:
    size = sum(end - begin for begin, end in member.spans)
    return Compressed(member.spans, member.plain, size, document_parts.refitting(member))


def _chunks(data: bytes, begin: int, place: int, end: int) -> Spans:
    """Return where the chunks of HTTP are whose first begins at a place."""
    spans: Spans = []
    match = _CHUNK.search(data, max(begin, place - 32), place)
    while match is not None:
        size = int(match[1], 16)
        if size == 0 or place + size > end:
            break
        spans.append((place, place + size))
        match = _NEXT_CHUNK.match(data, place + size, end)
        place = match.end() if match is not None else place
    return spans


def _inflated(data: bytes, spans: Spans, *, brotli: bool = False) -> Compressed | None:
    packed = b"".join(data[begin:end] for begin, end in spans)
    if len(packed) > _LARGEST:
        return None
    found = _unpacked(packed, _LARGEST_PLAIN, brotli=brotli)
    if found is None:
        return None
    plain, refit = _with_parts(found[0], found[2])
    size = found[1]
    has_names = packed.startswith(gzip_streams.MARK) and packed[_FLAGS] != 0
    return Compressed(pieces(spans, [(0, size)]), plain, size, refit, has_names)


def opaque_spans(bodies: Sequence[Compressed]) -> Spans:
    """Return where nothing stands but packed content, in order: what looks like a text is none."""
    return sorted({span for one in bodies if not one.has_names for span in one.spans})


def content(body: bytes, *, brotli: bool) -> bytes | None:
    """Return what is in a compressed body, or a document; None for another, or not a whole one.

    Args:
        body: the whole of it; several streams may follow one another.
        brotli: True where its headers say so.
    """
    if brotli and not brotli_streams.is_installed():
        return None
    document = packed_document.said(body, _LARGEST_COMPARED)
    if document is not None:
        return document
    parts: list[bytes] = []
    while body:
        found = _unpacked(body, _LARGEST_COMPARED, brotli=brotli)
        if found is None:
            return None
        plain, size, _ = found
        parts.append(plain)
        body = body[size:]
    plain = b"".join(parts)
    return (packed_document.said(plain, _LARGEST_COMPARED) or plain) if parts else None


def _unpacked(packed: bytes, limit: int, *, brotli: bool) -> tuple[bytes, int, Refit] | None:
    for mark, unpack, refit in _CODINGS:
        if brotli if mark is None else packed.startswith(mark):
            found = unpack(packed, limit)
            return None if found is None else (*found, refit)
    return None
