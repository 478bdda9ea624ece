"""aiohttp's connector: what a request experiences while it gets a connection.

Whether one is made or taken from the pool is not the request's own, but its trace
callbacks hear of it, and they are the application's code: each signal is an event, then
comes the connection itself. On replay the connection is a stub.

Hook: `BaseConnector.connect`. Read in aiohttp 3.9 to 3.14.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from typing import TYPE_CHECKING, Any

from aiohttp.client_exceptions import ClientConnectorError
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import BaseConnector, Connection

from retrace_core.boundary import Boundary, Patch, call_async, in_replay, record_error, spoil
from retrace_core.codec import pack_exception
from retrace_core.lanes import masked_value
from retrace_core.native import LANE, REPLAY, current, now_ns
from retrace_core.recording import RAISED, RETURNED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_KIND = "aiohttp.connect"
_TIMED_OUT = "timed out"


class StubTransport(asyncio.Transport):
    """Stands for the transport of a replayed connection: what is written goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self._closing = False

    def write(self, data: Any) -> None:
        """Send nothing."""

    def writelines(self, list_of_data: Any) -> None:
        """Send nothing."""

    def is_closing(self) -> bool:
        """Return True once it was closed."""
        return self._closing

    def close(self) -> None:
        """Remember that it was closed."""
        self._closing = True

    def abort(self) -> None:
        """Remember that it was closed."""
        self._closing = True

    def pause_reading(self) -> None:
        """Do nothing: nothing is read."""

    def resume_reading(self) -> None:
        """Do nothing: nothing is read."""


class StubConnection(Connection):
    """A replayed connection: no pool gets it back."""

    def close(self) -> None:
        """Tell those who wait for its end."""
        self._notify_release()
        self._protocol = None

    def release(self) -> None:
        """Tell those who wait for its end."""
        self.close()

    def __del__(self, _warnings: Any = None) -> None:
        """Do nothing: there is nothing to give back."""


def _stub(connector: Any, request: Any) -> Connection:
    protocol = ResponseHandler(connector._loop)
    protocol.transport = StubTransport()
    if request.proxy:
        connector._update_proxy_auth_header_and_build_proxy_req(request)
    return StubConnection(connector, request.connection_key, protocol, connector._loop)


class _Heard:
    """A request's trace, as the connector tells it what happens: each signal is an event."""

    def __init__(self, number: int, trace: Any, lane: Any, key: str) -> None:
        self._number = number
        self._trace = trace
        self._lane = lane
        self._key = key

    def __getattr__(self, name: str) -> Any:
        tell = getattr(self._trace, name)
        if not name.startswith("send_"):
            return tell

        async def told(*args: Any) -> None:
            lane = self._lane
            lane.record(_KIND, self._key, RETURNED, [self._number, name, [*args]], now_ns())
            masked = LANE.get()
            LANE.set(lane)
            try:
                await tell(*args)
            finally:
                LANE.set(masked)

        return told


async def _record(
    lane: Any, key: str, request: Any, live: Callable[[], Awaitable[Connection]]
) -> Connection:
    start_ns = now_ns()
    LANE.set(masked_value(lane))
    try:
        connection = await live()
    except BaseException as error:
        LANE.set(lane)
        try:
            if isinstance(error, ClientConnectorError):
                # Its key may hold a proxy's password; replay has one of its own.
                packed = pack_exception(error)
                packed[1] = [None, *packed[1][1:]]
                packed[2].pop("_conn_key", None)
                lane.record(_KIND, key, RAISED, packed, start_ns)
            elif isinstance(error, asyncio.CancelledError) and _ran_out(request):
                lane.record(_KIND, key, RETURNED, _TIMED_OUT, start_ns)
            else:
                record_error(lane, _KIND, key, error, start_ns)
        except Exception as fault:
            spoil(lane, _KIND, fault)
        raise
    LANE.set(lane)
    lane.record(_KIND, key, RETURNED, None, start_ns)
    return connection


def _ran_out(request: Any) -> bool:
    return bool(getattr(request._timer, "_cancelled", False))


async def _nothing() -> Any:
    return None


async def _answer(
    lane: Any, key: str, connector: BaseConnector, request: Any, traces: Any
) -> Connection:
    while True:
        try:
            signal = await call_async(lane, _KIND, key, _nothing)
        except ClientConnectorError as error:
            error._conn_key = request.connection_key
            cause = getattr(error, "_os_error", None)
            if isinstance(cause, OSError):  # it keeps the cause's number and text in C fields
                ClientConnectorError.__init__(error, request.connection_key, cause)
            raise
        if signal is None:
            return _stub(connector, request)
        if signal == _TIMED_OUT:
            request._timer.timeout()  # as the live timer did, which cancels this task
            await asyncio.sleep(1)
            raise asyncio.CancelledError
        number, name, args = signal
        await getattr(traces[number], name)(*args)


def _connect(original: Callable[..., Awaitable[Connection]]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def connect(self: BaseConnector, req: Any, traces: Any, *rest: Any, **named: Any) -> Any:
        lane = current()
        if lane is None:
            if in_replay():
                return _stub(self, req)
            return await original(self, req, traces, *rest, **named)
        key = f"{req.host}:{req.port}"
        if lane.mode == REPLAY:
            return await _answer(lane, key, self, req, traces)
        heard = [_Heard(number, trace, lane, key) for number, trace in enumerate(traces)]
        live = functools.partial(original, self, req, heard, *rest, **named)
        return await _record(lane, key, req, live)

    return connect


BOUNDARY = Boundary(
    kind="aiohttp",
    supports="aiohttp>=3.9,<4",
    hooks=(Patch(BaseConnector, "connect", _connect),),
    errors=(
        "aiohttp.client_exceptions",
        "aiohttp.http_exceptions",
        socket.gaierror,
        ssl.SSLError,
        ssl.SSLCertVerificationError,
    ),
)
