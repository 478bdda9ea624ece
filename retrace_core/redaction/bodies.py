"""Bodies: what an outgoing exchange was answered, put together from its reads and chunks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retrace_core.redaction.lane_events import lane_events
from retrace_core.redaction.messagepack import token_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.redaction.replacing import Region

__all__ = ["Spans", "bodies_of_lane"]

Spans = list[tuple[int, int]]
_READS = frozenset(("http.bytes", "httpx.chunk", "httpx2.chunk", "aiohttp.chunk"))
_ANSWER = b"HTTP/1."
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_CHUNK = re.compile(rb"(?:\r\n)?([0-9A-Fa-f]{1,8})[^\r\n]*\r\n")


def bodies_of_lane(data: bytes, region: Region) -> Iterator[Spans]:
    """Yield where the parts of each answer stand that came in several reads or chunks."""
    waiting: dict[str, Spans] = {}
    for event in lane_events(data, region):
        if event.kind not in _READS:
            if event.kind.partition(".")[2] in ("exchange", "request", "head"):
                family = event.kind.partition(".")[0]
                for kind in [kind for kind in waiting if kind.startswith(f"{family}.")]:
                    yield from _whole(data, waiting.pop(kind))
            continue
        token = token_at(data, event.value)
        while token.kind in ("wrap", "array"):  # aiohttp's are [bytes, whether it ended]
            token = token_at(data, token.begin)
        if token.kind == "text":
            waiting.setdefault(event.kind, []).append((token.begin, token.end))
    for spans in waiting.values():
        yield from _whole(data, spans)


def _whole(data: bytes, spans: Spans) -> Iterator[Spans]:
    first = data[spans[0][0] : spans[0][1]]
    if first.startswith(_ANSWER):
        joined = b"".join(data[begin:end] for begin, end in spans)
        head = joined.find(b"\r\n\r\n") + 4
        if head >= 4 and _CHUNKED.search(joined, 0, head):
            yield _pieces(spans, list(_unchunked(joined, head)))
            return
    if len(spans) > 1:
        yield spans


def _unchunked(joined: bytes, place: int) -> Iterator[tuple[int, int]]:
    """Yield where the chunks of an answer are, after its head."""
    match = _CHUNK.match(joined, place)
    while match is not None and (size := int(match[1], 16)):
        end = min(match.end() + size, len(joined))
        yield match.end(), end
        match = _CHUNK.match(joined, end)


def _pieces(spans: Spans, wanted: Spans) -> Spans:
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
