"""Document: a recording, or any value of one, as plain JSON values."""

from __future__ import annotations

import base64
import contextlib
import math
from collections.abc import Mapping
from typing import Any

import msgspec

from retrace_core.codec import Opaque, PackedException, decode
from retrace_core.errors import TornRecording
from retrace_core.recording import Event, LaneEvents, Recording, SoftEvent
from retrace_core.task_call import PROTOCOL

__all__ = ["body_document", "document", "event_document", "plain"]

_DEPTH = 60
_SAFE_BITS = 4096
_STATUS = {0: "returned", 1: "raised", 2: "cancelled"}


def document(recording: Recording, *, soft: bool = True, lane: str = "") -> dict[str, Any]:
    """Return the whole recording as plain JSON values.

    Args:
        recording: masked or not, as it is to be shown.
        soft: False leaves out reads of clocks and entropy.
        lane: only this lane; default all.
    """
    request, response = recording.request, recording.response
    return {
        "header": plain(recording.header),
        "request": {**_fields(request), "body": _body(request.body, recording)},
        "response": response and {**_fields(response), "body": _body(response.body, recording)},
        "failure": plain(recording.failure),
        "lanes": [_lane(one, soft) for one in recording.lanes if lane in ("", one.id)],
    }


def _lane(lane: LaneEvents, soft: bool) -> dict[str, Any]:
    events = [event for event in lane.events if soft or isinstance(event, Event)]
    return {
        "id": lane.id,
        "complete": lane.complete,
        "events": [event_document(event) for event in events],
    }


def event_document(event: Event | SoftEvent) -> dict[str, Any]:
    """Return one event as plain JSON values."""
    if isinstance(event, SoftEvent):
        return {"kind": event.kind, "site": event.site, "value": plain(event.value)}
    return {**_fields(event), "status": _STATUS.get(event.status, event.status)}


def _body(chunks: list[bytes], recording: Recording) -> dict[str, Any]:
    if recording.request.protocol == PROTOCOL and chunks:
        with contextlib.suppress(TornRecording):
            return {"value": plain(decode(b"".join(chunks)))}
    return dict(body_document(chunks))


def body_document(chunks: list[bytes]) -> dict[str, str]:
    """Return a body as {"text": ...} where it is UTF-8, else as {"base64": ...}."""
    body = b"".join(chunks)
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def plain(value: Any, depth: int = 0) -> Any:
    """Return any recorded value as plain JSON values; it fails for none.

    Bytes become {"base64": ...}, tuples and sets arrays, what JSON has no name for its text.
    """
    if value is None or isinstance(value, bool | str):
        return (
            value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
        )
    if isinstance(value, int):
        return value if value.bit_length() <= _SAFE_BITS else hex(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return {"base64": base64.b64encode(value).decode()}
    if depth >= _DEPTH:
        return "…"
    if isinstance(value, Opaque):
        return {"not_recorded": value.type, "repr": value.repr}
    if isinstance(value, PackedException):
        return {"exception": plain(value.packed, depth + 1)}
    if isinstance(value, msgspec.Struct):
        return _fields(value, depth)
    if isinstance(value, Mapping):
        return {_name(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, depth + 1) for item in value]
    return str(value)


def _fields(value: msgspec.Struct, depth: int = 0) -> dict[str, Any]:
    return {name: plain(getattr(value, name), depth + 1) for name in value.__struct_fields__}


def _name(key: Any) -> str:
    return str(plain(key)) if isinstance(key, str | int | float | None) else str(plain(key, 1))
