"""websockets' asyncio client: connecting, and each message that comes or goes, is an event.

Hooks: `connect.connect` (before websockets 17 `connect.__await_impl__`); `recv`,
`recv_streaming`, `send`, `close` and `wait_closed` of `ClientConnection`. Iteration and the
context manager come to these. Pings are answered by nobody on replay. Read in websockets 16 and 17.
"""

from __future__ import annotations

import functools
import socket
import ssl
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.uri import parse_uri

from retrace_core.boundary import Boundary, Patch, call_async
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

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

_END = object()
_HAS_CONNECT = hasattr(connect, "connect")  # since websockets 17


async def _nothing() -> Any:
    return None


def _hooked_connect(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def connecting(self: Any) -> Any:
        lane = current()
        carried = headers_to_send(lane)
        if carried:
            headers = Headers(self.additional_headers or ())
            for name, value in missing_headers(carried, headers):
                headers[name] = value
            self.additional_headers = headers
        if lane is None:
            return await original(self)
        key = self.uri.split("?", 1)[0].rsplit("@", 1)[-1]
        if lane.mode == REPLAY:
            kept = await call_async(lane, CONNECT, key, _nothing)
            protocol, response = opened_again(parse_uri(self.uri), kept)
            connection = ClientConnection(protocol)
            connection.response = response
            if not _HAS_CONNECT:
                self.connection = connection
            return connection
        made: list[Any] = []

        async def live() -> list[Any]:
            try:
                made.append(await original(self))
            except InvalidStatus as error:
                made.append(error)
                return refused(error)
            return opened(made[0])

        await call_async(lane, CONNECT, key, live)
        if isinstance(made[0], InvalidStatus):
            raise made[0]
        return made[0]

    return connecting


async def _ask(
    connection: Any, lane: Any, kind: str, key: object, ask: Callable[[], Awaitable[Any]]
) -> Any:
    """Return what `ask` returns; how the channel ended, if it did, is part of the event."""
    failed: list[BaseException] = []

    async def live() -> list[Any]:
        try:
            return [await ask()]
        except ConnectionClosed as error:
            failed.append(error)
            return []
        finally:
            how.append(ended(connection))

    how: list[Any] = []
    outcome: Any = await call_async(lane, kind, key, live, lambda value: [value, how[-1]])
    value: Any = outcome
    if lane.mode == REPLAY:
        value, closed = outcome
        end_again(connection, closed)
    if not value:
        raise failed[0] if failed else connection.protocol.close_exc
    return value[0]


def _recv(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def recv(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        live = functools.partial(original, self, *args, **options)
        return await live() if lane is None else await _ask(self, lane, RECEIVE, None, live)

    return recv


def _recv_streaming(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def recv_streaming(self: Any, *args: Any, **options: Any) -> AsyncIterator[Any]:
        parts = original(self, *args, **options)

        async def read() -> Any:
            part = await anext(parts, _END)
            return [] if part is _END else [part]

        while True:
            lane = current()
            part = await read() if lane is None else await _ask(self, lane, RECEIVE, "part", read)
            if not part:
                return
            yield part[0]

    return recv_streaming


def _send(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def send(self: Any, message: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        live = functools.partial(original, self, message, *args, **options)
        if lane is None:
            return await live()
        return await _ask(self, lane, SEND, sent_key(message), live)

    return send


def _close(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def closing(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        live = functools.partial(original, self, *args, **options)
        return await live() if lane is None else await _ask(self, lane, CLOSE, [*args], live)

    return closing


BOUNDARY = Boundary(
    kind="websockets",
    supports="websockets>=16",
    hooks=(
        Patch(connect, "connect" if _HAS_CONNECT else "__await_impl__", _hooked_connect),
        Patch(ClientConnection, "recv", _recv),
        Patch(ClientConnection, "recv_streaming", _recv_streaming),
        Patch(ClientConnection, "send", _send),
        Patch(ClientConnection, "close", _close),
        Patch(ClientConnection, "wait_closed", _close),
    ),
    errors=("websockets.exceptions", socket.gaierror, ssl.SSLError, ssl.SSLCertVerificationError),
)
