"""Masking: what identifies a user or opens a door is not shown, unless it is asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from retrace_core.recording import Event, Header, LaneEvents, Recording, SoftEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MASK", "is_sensitive", "mask_headers", "masked"]

MASK = "***"

_SENSITIVE = frozenset("authorization cookie set-cookie proxy-authorization x-api-key".split())
_HEADER_LINE = re.compile(
    rb"(?im)^((?:authorization|cookie|set-cookie|proxy-authorization|x-api-key):)([^\r\n]*)"
)


def is_sensitive(name: str) -> bool:
    """Return True for a header (or WSGI environ key) whose value is masked on display."""
    return name.lower().removeprefix("http_").replace("_", "-") in _SENSITIVE


def mask_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers with sensitive values replaced."""
    return [(name, MASK if is_sensitive(name) else value) for name, value in headers]


def masked(recording: Recording) -> Recording:
    """Return the recording as it may be shown: sensitive headers and the hash secret masked."""
    request, response = recording.request, recording.response
    return Recording(
        header=masked_header(recording.header),
        request=msgspec.structs.replace(
            request,
            headers=mask_headers(request.headers),
            extra={k: MASK if is_sensitive(str(k)) else v for k, v in request.extra.items()},
        ),
        response=response
        and msgspec.structs.replace(response, headers=mask_headers(response.headers)),
        failure=recording.failure,
        lanes=[
            LaneEvents(lane.id, [_event(event) for event in lane.events], lane.complete)
            for lane in recording.lanes
        ],
    )


def masked_header(header: Header) -> Header:
    """Return the header of a recording without the hash secret."""
    environment = header.environment
    if environment.hash_seed:
        environment = msgspec.structs.replace(environment, hash_seed=MASK)
    return msgspec.structs.replace(
        header,
        environment=environment,
        outgoing_headers=mask_headers(header.outgoing_headers),
    )


def _event(event: Event | SoftEvent) -> Event | SoftEvent:
    if isinstance(event, SoftEvent):
        return event
    if event.kind == "http.bytes" and isinstance(event.value, bytes):
        return msgspec.structs.replace(event, value=_HEADER_LINE.sub(_starred, event.value))
    if event.kind == "httpx.request" and isinstance(event.value, list) and len(event.value) > 1:
        status, headers, *rest = event.value
        return msgspec.structs.replace(event, value=[status, _raw_headers(headers), *rest])
    return event


def _starred(match: re.Match[bytes]) -> bytes:
    return match[1] + b"*" * len(match[2])  # as long as it was, so that sizes stay true


def _raw_headers(headers: Any) -> Any:
    if not isinstance(headers, list | tuple):
        return headers
    return [(pair[0], MASK.encode()) if _is_sensitive_pair(pair) else pair for pair in headers]


def _is_sensitive_pair(pair: Any) -> bool:
    if not isinstance(pair, list | tuple) or len(pair) != 2 or not isinstance(pair[0], bytes):
        return False
    return is_sensitive(pair[0].decode("latin-1"))
