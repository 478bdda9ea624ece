"""websockets: what the boundaries of its two clients share: a handshake, and how a channel ended.

Read in websockets 17.
"""

from __future__ import annotations

from typing import Any

from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response
from websockets.protocol import State

from retrace_core.checksum import checksum_of

__all__ = [
    "CLOSE",
    "CONNECT",
    "RECEIVE",
    "SEND",
    "end_again",
    "ended",
    "opened",
    "opened_again",
    "refused",
    "sent_key",
]

CONNECT, RECEIVE, SEND = "websockets.connect", "websockets.recv", "websockets.send"
CLOSE = "websockets.close"


def answered(response: Any) -> list[Any] | None:
    """Return a handshake's answer as plain data."""
    if response is None:
        return None
    headers = [list(pair) for pair in response.headers.raw_items()]
    return [response.status_code, response.reason_phrase, headers, response.body]


def _response(fields: list[Any]) -> Response:
    status, reason, headers, body = fields
    return Response(status, reason, Headers([(name, value) for name, value in headers]), body)


def opened(connection: Any) -> list[Any]:
    """Return what is to be kept of a connection that was made, or a refused handshake."""
    return [answered(connection.response), connection.subprotocol]


def refused(error: InvalidStatus) -> list[Any]:
    """Return what is to be kept of a refused handshake."""
    return [answered(error.response)]


def opened_again(uri: Any, kept: list[Any]) -> tuple[ClientProtocol, Response]:
    """Return an open protocol without a connection, and the answer of the handshake.

    Raises:
        InvalidStatus: the server had refused.
    """
    response = _response(kept[0])
    if len(kept) == 1:
        raise InvalidStatus(response)
    protocol = ClientProtocol(uri)
    protocol.state = State.OPEN
    protocol.subprotocol = kept[1]
    return protocol, response


def sent_key(message: Any) -> object:
    """Return what a message says, for the comparison: its size and checksum."""
    data = message.encode() if isinstance(message, str) else message
    if isinstance(data, bytes | bytearray | memoryview):
        return (type(message).__name__, len(data), checksum_of(data))
    return "parts"


def ended(connection: Any) -> list[Any] | None:
    """Return how a channel was closed, None while it is open."""
    protocol = connection.protocol
    if protocol.state is not State.CLOSED:
        return None
    closes = [
        None if close is None else [int(close.code), close.reason]
        for close in (protocol.close_rcvd, protocol.close_sent)
    ]
    return [*closes, protocol.close_rcvd_then_sent]


def end_again(connection: Any, how: list[Any] | None) -> None:
    """Close a replayed channel as the recorded one was."""
    if how is not None:
        received, sent, order = how
        protocol = connection.protocol
        protocol.close_rcvd = None if received is None else Close(*received)
        protocol.close_sent = None if sent is None else Close(*sent)
        protocol.close_rcvd_then_sent = order
        protocol.state = State.CLOSED
