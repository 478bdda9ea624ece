"""Plain table: a table of AMQP, and a message's body, as plain values."""

from __future__ import annotations

import datetime
import enum
from decimal import Decimal
from typing import Any

from retrace_core.checksum import checksum_of

__all__ = ["SETTING_UP", "body_key", "named", "plain"]

_LONGEST = 8192

SETTING_UP = frozenset(
    (
        *("basic.qos", "confirm.select", "exchange.bind", "exchange.declare"),
        *("queue.bind", "queue.declare"),
    )
)
"""What a process asks once for a connection or channel that it keeps, often while its first
request waits: replay answers it where it was not recorded, and in no order."""


def named(method: str, fields: dict[str, Any]) -> tuple[str, bool]:
    """Return a method's name in events, as `queue.declare`, and whether it only sets something up.

    What looks whether something is there, or lets the server choose a name, is a question.
    """
    name = method.lower()
    asks = bool(fields.get("passive")) or (name == "queue.declare" and not fields.get("queue"))
    return name, name in SETTING_UP and not asks


def plain(value: Any) -> Any:
    """Return a value of a table as the codec gives it back unchanged."""
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | datetime.datetime | Decimal):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)  # those of 64 bits have a class of their own
    if isinstance(value, float):
        return float(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {plain(key): plain(one) for key, one in value.items()}
    return f"<{type(value).__qualname__}>"


def body_key(body: bytes) -> object:
    """Return what stands in a key for a message's body: from 8 KiB on its checksum."""
    return body if len(body) < _LONGEST else checksum_of(body)
