"""websockets' sync client: connecting, and each message that comes or goes, is an event.

Hooks: `reconnect.connect`, to which `connect` comes too; `recv`,
`recv_streaming`, `send`, `close` and `wait_closed` of
`ClientConnection`. Iteration and the context manager come to these. Pings are answered by
nobody on replay. Read in websockets 17.
"""

from __future__ import annotations

import functools
import socket
import ssl
from typing import TYPE_CHECKING, Any, cast

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, reconnect

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.http_clients.http_exchange import headers_to_send, missing_headers
from retrace_core.http_clients.websocket_channel import (
    CLOSE,
    CONNECT,
    RECEIVE,
    SEND,
    end_again,
    ended,
    opened,
    opened_again,
    refused,
    sent_key,
)
from retrace_core.native import REPLAY, current
from retrace_core.sockets.stub_socket import StubSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_END = object()


def _nothing() -> Any:
    return None


def _hooked_connect(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def connecting(self: Any) -> Any:
        lane = current()
        carried = headers_to_send(lane)
        if carried:
            headers = Headers(self.additional_headers or ())
            for name, value in missing_headers(carried, headers):
                headers[name] = value
            self.additional_headers = headers
        if lane is None:
            return original(self)
        key = self.uri.split("?", 1)[0].rsplit("@", 1)[-1]
        if lane.mode == REPLAY:
            kept = call(lane, CONNECT, key, _nothing)
            protocol, response = opened_again(self.ws_uri, kept)
            return _opened_again(protocol, response)
        made: list[Any] = []

        def live() -> list[Any]:
            try:
                made.append(original(self))
            except InvalidStatus as error:
                made.append(error)
                return refused(error)
            return opened(made[0])

        call(lane, CONNECT, key, live)
        if isinstance(made[0], InvalidStatus):
            raise made[0]
        return made[0]

    return connecting


def _opened_again(protocol: Any, response: Any) -> ClientConnection:
    # Its own `__init__` starts the thread that reads.
    connection = ClientConnection.__new__(ClientConnection)
    connection.protocol = protocol
    connection.id, connection.debug = protocol.id, protocol.debug
    connection.logger = protocol.logger
    connection.request, connection.response = None, response
    connection.latency = 0.0
    connection.pending_legacy_warning = False
    connection.socket = cast("Any", StubSocket("", 0))
    return connection


def _ask(connection: Any, lane: Any, kind: str, key: object, ask: Callable[[], Any]) -> Any:
    """Return what `ask` returns; how the channel ended, if it did, is part of the event."""
    failed: list[BaseException] = []

    def live() -> list[Any]:
        try:
            return [ask()]
        except ConnectionClosed as error:
            failed.append(error)
            return []
        finally:
            how.append(ended(connection))

    how: list[Any] = []
    outcome: Any = call(lane, kind, key, live, lambda value: [value, how[-1]])
    value: Any = outcome
    if lane.mode == REPLAY:
        value, closed = outcome
        end_again(connection, closed)
    if not value:
        raise failed[0] if failed else connection.protocol.close_exc
    return value[0]


def _recv(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def recv(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        live = functools.partial(original, self, *args, **options)
        return live() if lane is None else _ask(self, lane, RECEIVE, None, live)

    return recv


def _recv_streaming(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def recv_streaming(self: Any, *args: Any, **options: Any) -> Iterator[Any]:
        parts = original(self, *args, **options)

        def read() -> Any:
            part = next(parts, _END)
            return [] if part is _END else [part]

        while True:
            lane = current()
            part = read() if lane is None else _ask(self, lane, RECEIVE, "part", read)
            if not part:
                return
            yield part[0]

    return recv_streaming


def _send(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def send(self: Any, message: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        live = functools.partial(original, self, message, *args, **options)
        if lane is None:
            return live()
        return _ask(self, lane, SEND, sent_key(message), live)

    return send


def _close(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def closing(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        live = functools.partial(original, self, *args, **options)
        return live() if lane is None else _ask(self, lane, CLOSE, [*args], live)

    return closing


BOUNDARY = Boundary(
    kind="websockets",
    supports="websockets>=17",
    hooks=(
        Patch(reconnect, "connect", _hooked_connect),
        Patch(ClientConnection, "recv", _recv),
        Patch(ClientConnection, "recv_streaming", _recv_streaming),
        Patch(ClientConnection, "send", _send),
        Patch(ClientConnection, "close", _close),
        Patch(ClientConnection, "wait_closed", _close),
    ),
    errors=("websockets.exceptions", socket.gaierror, ssl.SSLError, ssl.SSLCertVerificationError),
)
