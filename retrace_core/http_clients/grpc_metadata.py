"""gRPC: what the boundaries of its synchronous and its asyncio client share."""

from __future__ import annotations

from typing import Any

from retrace_core.boundary import in_replay
from retrace_core.errors import LiveCallRefused
from retrace_core.http_clients.http_exchange import headers_to_send, missing_headers

__all__ = ["carried_metadata", "refuse_in_replay"]


def carried_metadata(lane: Any, metadata: Any) -> Any:
    """Return a call's metadata with the headers that carry the trace."""
    carried = headers_to_send(lane)
    if not carried:
        return metadata
    given = [tuple(pair) for pair in metadata or ()]
    present = {name.lower() for name, _ in given}
    added = missing_headers(carried, present)
    return (*given, *((name.lower(), value) for name, value in added))


def refuse_in_replay(method: object) -> None:
    """Refuse a call outside every lane during replay: no audit hook sees sockets made in C.

    Raises:
        LiveCallRefused: a replay runs.
    """
    if in_replay():
        raise LiveCallRefused("grpc call", str(method))
