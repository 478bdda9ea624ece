"""Sent message: what one of NATS asks, and messages as plain data and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nats.aio.msg import Msg

from retrace_core.checksum import checksum_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["message_key", "message_of", "packed_message"]

_LONG_BYTES = 8192


def message_key(subject: Any, payload: Any, headers: Any, reply: Any = "") -> list[object]:
    """Return what stands in a key for a message that is sent.

    Args:
        subject, payload, headers, reply: as the client gets them; of a payload longer than
            8 KiB stands the checksum.
    """
    data = bytes(payload) if isinstance(payload, bytes | bytearray | memoryview) else payload
    if isinstance(data, bytes | str) and len(data) > _LONG_BYTES:
        data = checksum_of(data if isinstance(data, bytes) else data.encode())
    named = {str(name): str(value) for name, value in (headers or {}).items()}
    return [str(subject), data, named, *([str(reply)] if reply else [])]


def packed_message(message: Any) -> object:
    """Return a message as plain data, without its client."""
    headers = message.headers
    return [
        message.subject,
        message.reply,
        bytes(message.data),
        None if headers is None else dict(headers),
        message._sid,
    ]


def message_of(client: Any) -> Callable[[Any], Any]:
    """Return what makes a message of a client's again, of plain data."""

    def unpacked(kept: Any) -> Any:
        subject, reply, data, headers, sid = kept
        # The application may change what it gets, and not the recording.
        headers = None if headers is None else dict(headers)
        return Msg(client, subject, reply, data, headers, _sid=sid)

    return unpacked
