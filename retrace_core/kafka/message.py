"""Message: what one that is sent to Kafka asks, and the headers by which it carries the trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from retrace_core.checksum import checksum_of
from retrace_core.http_exchange import headers_to_send, missing_headers

if TYPE_CHECKING:
    from retrace_core import native

__all__ = ["carrying", "message_key", "part"]

_LONG_BYTES = 1024
"""A longer key or value is kept as its length and checksum."""


def message_key(
    topic: object, key: object, value: object, partition: object, headers: object
) -> list[object]:
    """Return what a message asks.

    Its time is left out: the library's own, or a clock's that the application has read.

    Args:
        topic, key, value, partition: as the library is given them.
        headers: as the application gave them, without those of the trace.
    """
    pairs = _pairs(headers)
    named = part(headers) if pairs is None else [[str(name), part(one)] for name, one in pairs]
    return [str(topic), part(key), part(value), partition, named]


def carrying(lane: native.Lane | None, headers: Any, *, as_bytes: bool = False) -> Any:
    """Return a message's headers with those by which it carries the trace.

    Args:
        lane: the current one; without one the request may be unrecorded, and hands on its trace.
        headers: a mapping, pairs, or None; what they have of the trace stays.
        as_bytes: whether the library takes bytes alone as a header's value.
    """
    carried = headers_to_send(lane)
    given = _pairs(headers) if carried else None
    if given is None:
        return headers
    added = missing_headers(carried, {str(name).lower() for name, _ in given})
    if not added:
        return headers
    return [
        *given,
        *((name.lower(), value.encode() if as_bytes else value) for name, value in added),
    ]


def _pairs(headers: Any) -> list[tuple[Any, Any]] | None:
    """Return headers as pairs; None for what is none, or can be gone through but once."""
    if headers is None:
        return []
    pairs = list(headers.items()) if isinstance(headers, Mapping) else headers
    if not isinstance(pairs, list | tuple):
        return None
    well = all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs)
    return [(pair[0], pair[1]) for pair in pairs] if well else None


def part(value: Any) -> object:
    """Return what stands in a key for a message's key or value, or a header's."""
    if isinstance(value, bytearray | memoryview):
        value = bytes(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if not isinstance(value, str | bytes):
        return f"<{type(value).__module__}.{type(value).__qualname__}>"
    if len(value) <= _LONG_BYTES:
        return value
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return checksum_of(data)
