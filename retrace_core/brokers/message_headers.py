"""Message headers: those by which a message carries the trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from retrace_core.http_clients.http_exchange import headers_to_send, missing_headers

if TYPE_CHECKING:
    from retrace_core import native

__all__ = ["carrying", "pairs_of"]


def carrying(lane: native.Lane | None, headers: Any, *, as_bytes: bool = False) -> Any:
    """Return a message's headers with those by which it carries the trace.

    Args:
        lane: the current one; without one the request may be unrecorded, and hands on its trace.
        headers: a mapping, pairs, or None; what they have of the trace stays.
        as_bytes: whether the library takes bytes alone as a header's value.
    """
    carried = headers_to_send(lane)
    given = pairs_of(headers) if carried else None
    if given is None:
        return headers
    added = missing_headers(carried, {str(name).lower() for name, _ in given})
    if not added:
        return headers
    return [
        *given,
        *((name.lower(), value.encode() if as_bytes else value) for name, value in added),
    ]


def pairs_of(headers: Any) -> list[tuple[Any, Any]] | None:
    """Return headers as pairs; None for what is none, or can be gone through but once."""
    if headers is None:
        return []
    pairs = list(headers.items()) if isinstance(headers, Mapping) else headers
    if not isinstance(pairs, list | tuple):
        return None
    well = all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs)
    return [(pair[0], pair[1]) for pair in pairs] if well else None
