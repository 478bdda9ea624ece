"""Message: what one that is sent to Kafka asks."""

from __future__ import annotations

from typing import Any

from retrace_core.brokers.message_headers import pairs_of
from retrace_core.checksum import checksum_of

__all__ = ["message_key", "part"]

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
    pairs = pairs_of(headers)
    named = part(headers) if pairs is None else [[str(name), part(one)] for name, one in pairs]
    return [str(topic), part(key), part(value), partition, named]


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
