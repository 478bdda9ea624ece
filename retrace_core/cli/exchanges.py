"""Exchanges: the outgoing HTTP calls of a recording, put together from their events."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from http import client
from typing import TYPE_CHECKING, Any

from retrace_core.cli.words import exception_words, value_words
from retrace_core.recording import CANCELLED, RAISED, Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retrace_core.recording import Headers, LaneEvents, Recording

__all__ = ["Exchange", "of_recording"]

_HEADS = ("http.exchange", "httpx.request")
_PARTS = {"http.bytes": "http.exchange", "httpx.chunk": "httpx.request"}


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request that the application sent, and what came back."""

    lane: str
    head: Event
    """The event with which it began."""
    method: str
    url: str
    status: int = 0
    """0 when no response came."""
    reason: str = ""
    http_version: str = "HTTP/1.1"
    headers: Headers = field(default_factory=lambda: [])
    body: bytes = b""
    error: str = ""
    """Why there is no response, or no whole one."""
    answered_us: int = 0
    """When the response began, in microseconds since the scope was opened."""
    ended_us: int = 0
    raw: list[bytes] = field(default_factory=lambda: [])

    @property
    def started_us(self) -> int:
        """When the request was sent, in microseconds since the scope was opened."""
        return max(0, self.head.end_us - self.head.duration_us)


def of_recording(recording: Recording) -> list[Exchange]:
    """Return the outgoing HTTP calls of all lanes, in the order in which they began."""
    found = [exchange for lane in recording.lanes for exchange in _of_lane(lane)]
    return sorted(found, key=lambda exchange: exchange.head.seq)


def _of_lane(lane: LaneEvents) -> Iterable[Exchange]:
    found: list[Exchange] = []
    latest: dict[str, Exchange] = {}
    for event in lane.events:
        if not isinstance(event, Event):
            continue
        if event.kind in _HEADS:
            exchange = latest[event.kind] = _begun(lane.id, event)
            found.append(exchange)
        elif event.kind in _PARTS and _PARTS[event.kind] in latest:
            _add_part(latest[_PARTS[event.kind]], event)
    for exchange in found:
        if exchange.head.kind == "http.exchange":
            _parse(exchange)
        else:
            exchange.body = b"".join(exchange.raw)
    return found


def _begun(lane_id: str, event: Event) -> Exchange:
    key = event.key[0] if isinstance(event.key, list | tuple) and event.key else event.key
    method, _, url = value_words(key, 8000).partition(" ")
    exchange = Exchange(
        lane=lane_id,
        head=event,
        method=method if url else "GET",
        url=url or value_words(key, 8000),
        answered_us=event.end_us,
        ended_us=event.end_us,
    )
    _note_failure(exchange, event)
    value: Any = event.value
    if event.kind == "httpx.request" and not exchange.error and isinstance(value, list):
        if len(value) == 3 and isinstance(value[0], int):
            exchange.status = value[0]
            exchange.headers = _headers(value[1])
            extensions = value[2] if isinstance(value[2], dict) else {}
            exchange.reason = _latin(extensions.get("reason_phrase", b""))
            exchange.http_version = _latin(extensions.get("http_version", b"HTTP/1.1"))
    return exchange


def _add_part(exchange: Exchange, event: Event) -> None:
    if not exchange.raw and event.kind == "http.bytes":
        exchange.answered_us = event.end_us
    exchange.ended_us = event.end_us
    _note_failure(exchange, event)
    if isinstance(event.value, bytes):
        exchange.raw.append(event.value)


def _note_failure(exchange: Exchange, event: Event) -> None:
    if event.status == RAISED:
        exchange.error = exception_words(event.value)
    elif event.status == CANCELLED:
        exchange.error = "cancelled"


class _Source:
    """What http.client takes for a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: object, **__: object) -> io.BytesIO:
        return io.BytesIO(self._data)


def _parse(exchange: Exchange) -> None:
    """Read status, headers and body out of the recorded bytes, as far as they go."""
    if not exchange.raw:
        return
    source: Any = _Source(b"".join(exchange.raw))
    response = client.HTTPResponse(source, method=exchange.method)
    try:
        response.begin()
        exchange.status, exchange.reason = response.status, response.reason
        exchange.http_version = "HTTP/1.0" if response.version == 10 else "HTTP/1.1"
        exchange.headers = list(response.headers.items())
        exchange.body = response.read()
    except client.IncompleteRead as error:
        exchange.body = error.partial
    except (client.HTTPException, ValueError, OSError) as error:
        exchange.error = exchange.error or f"no HTTP response ({type(error).__name__})"


def _headers(pairs: Any) -> Headers:
    if not isinstance(pairs, list | tuple):
        return []
    return [
        (_latin(pair[0]), _latin(pair[1]))
        for pair in pairs
        if isinstance(pair, list | tuple) and len(pair) == 2
    ]


def _latin(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value_words(value, 300)
