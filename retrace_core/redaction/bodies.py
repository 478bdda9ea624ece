"""Bodies: what an outgoing exchange was answered, put together from its reads and chunks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from retrace_core.native import hard_events
from retrace_core.redaction.messagepack import token_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retrace_core.redaction.replacing import Region

    Spans = list[tuple[int, int]]

__all__ = ["Body", "bodies_of_lane", "body_of_part", "pieces", "spread_bodies"]

_READS = frozenset(("http.bytes", "httpx.chunk", "httpx2.chunk", "aiohttp.chunk"))
_HEADS = (".exchange", ".request", ".head")
_HTTP = b"http.bytes"
_USUAL = ((_HTTP, 1), (b"httpx.chunk", 2), (b"httpx2.chunk", 2), (b"aiohttp.chunk", 1))
"""Kind of a read -> how many there are of an answer in one part; those of httpx tell its end."""
_ANSWER = b"HTTP/1."
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_CHUNK = re.compile(rb"(?:\r\n)?([0-9A-Fa-f]{1,8})[^\r\n]*\r\n")
_PARTS = {b"\xa7request": 10, b"\xa8response": 2}
"""Tag of a part of a recording -> place of the headers in it; the body follows."""
_raws = msgspec.msgpack.Decoder(list[msgspec.Raw])


class Body(NamedTuple):
    """One body."""

    head: bytes
    """Headers, as they are recorded."""
    spans: Spans
    """Where its parts stand, in order."""


def spread_bodies(data: bytes, regions: Sequence[Region]) -> Iterator[Spans]:
    """Yield where the parts of each answer stand that came in several reads or chunks."""
    for region in regions:
        if region.lane and _may_be_spread(data, region):
            for body in bodies_of_lane(data, region):
                if len(body.spans) > 1:
                    yield body.spans


def _may_be_spread(data: bytes, region: Region) -> bool:
    """Return False where no answer came in several parts, which is told without a look at each."""
    begin, end = region.begin, region.end
    return any(data.count(kind, begin, end) > usual for kind, usual in _USUAL) or (
        data.find(_HTTP, begin, end) >= 0 and b"chunked" in data[begin:end].lower()
    )


def bodies_of_lane(data: bytes, region: Region) -> Iterator[Body]:
    """Yield the bodies of the answers in a lane."""
    heads: dict[str, bytes] = {}
    waiting: dict[str, Spans] = {}
    for kind, _, place, end in hard_events(data, region.begin, region.end):
        if kind in _READS:
            token = token_at(data, place)
            while token.kind in ("wrap", "array"):  # aiohttp's are [bytes, whether it ended]
                token = token_at(data, token.begin)
            if token.kind == "text":
                waiting.setdefault(_family(kind), []).append((token.begin, token.end))
        elif kind.endswith(_HEADS) and kind.count(".") == 1:
            family = _family(kind)
            yield from _bodies(data, heads.get(family, b""), waiting.pop(family, []))
            heads[family] = data[place:end]
    for family, spans in waiting.items():
        yield from _bodies(data, heads.get(family, b""), spans)


def _family(kind: str) -> str:
    return kind.partition(".")[0]


def _bodies(data: bytes, head: bytes, spans: Spans) -> Iterator[Body]:
    if not spans:
        return
    if not data.startswith(_ANSWER, spans[0][0]):
        yield Body(head, spans)
        return
    joined = b"".join(data[begin:end] for begin, end in spans)
    end = joined.find(b"\r\n\r\n") + 4
    if end < 4:
        return
    if _CHUNKED.search(joined, 0, end):
        yield Body(joined[:end], pieces(spans, list(_unchunked(joined, end))))
    else:
        yield Body(joined[:end], pieces(spans, [(end, len(joined))]))


def body_of_part(data: bytes, region: Region) -> Body | None:
    """Return the body of the request or the response, None for another part."""
    tag = next((tag for tag in _PARTS if data.startswith(tag, region.begin + 1)), None)
    if tag is None:
        return None
    place = region.begin + 1 + len(tag)
    token = token_at(data, place)
    place = token.begin
    fields = _raws.decode(b"\xdd" + token.size.to_bytes(4, "big") + data[place : region.end])
    lengths = [len(memoryview(field)) for field in fields]
    begin = place + sum(lengths[: _PARTS[tag]])
    middle = begin + lengths[_PARTS[tag]]
    chunks = token_at(data, middle)
    spans: Spans = []
    place = chunks.begin
    for _ in range(chunks.size):
        chunk = token_at(data, place)
        spans.append((chunk.begin, chunk.end))
        place = chunk.end
    return Body(data[begin:middle], spans)


def _unchunked(joined: bytes, place: int) -> Iterator[tuple[int, int]]:
    """Yield where the chunks of an answer are, after its head."""
    match = _CHUNK.match(joined, place)
    while match is not None and (size := int(match[1], 16)):
        end = min(match.end() + size, len(joined))
        yield match.end(), end
        match = _CHUNK.match(joined, end)


def pieces(spans: Spans, wanted: Spans) -> Spans:
    """Return where parts of texts that follow one another stand in these texts."""
    found: Spans = []
    for first, last in wanted:
        start = 0
        for begin, end in spans:
            left, right = max(first, start), min(last, start + end - begin)
            if left < right:
                found.append((begin + left - start, begin + right - start))
            start += end - begin
    return found
