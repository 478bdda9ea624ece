"""aiohttp's exchanges: one event for the head of a response, one for each read of its body.

What stands above is aiohttp's own code, also on replay: redirects, cookies, middlewares,
trace callbacks, `raise_for_status`, retries on a pooled connection that had gone away.

Hooks: `ClientRequest.send` (its failure is an event; it adds the headers that carry the
trace), `ClientRequest.write_bytes` (the application's code that produces a body gets a lane
of its own), `ClientResponse.start` (the head). The reader of a body becomes a subclass of
aiohttp's that records its reads. Read in aiohttp 3.9 to 3.14.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
from typing import TYPE_CHECKING, Any

from aiohttp.client_exceptions import ClientError, ClientResponseError
from aiohttp.client_reqrep import ClientRequest, ClientResponse
from aiohttp.helpers import set_result
from aiohttp.http import WS_KEY, HttpVersion
from aiohttp.payload import BytesPayload
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from multidict import CIMultiDict, CIMultiDictProxy

from retrace_core.boundary import Boundary, Patch, call, call_async, record_error
from retrace_core.codec import pack_exception
from retrace_core.http_clients.http_exchange import exchange_key, headers_to_send, missing_headers
from retrace_core.lanes import Lane, masked_value
from retrace_core.native import LANE, REPLAY, current, now_ns
from retrace_core.recording import RAISED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

_SEND, _HEAD, _CHUNK, _STATE = "aiohttp.send", "aiohttp.head", "aiohttp.chunk", "aiohttp.state"
_KEY = "_retrace_key"


async def _nothing() -> Any:
    return None


# -- the request


def _asked(request: Any) -> object:
    body = getattr(request, "_body", None)
    if isinstance(body, BytesPayload):
        body = body._value
    return exchange_key(request.method, str(request.url), body if _is_plain(body) else None)


def _is_plain(body: object) -> bool:
    return isinstance(body, bytes | bytearray)


def _inject(lane: Any, request: Any) -> None:
    carried = headers_to_send(lane)
    if carried:
        for name, value in missing_headers(carried, request.headers):
            request.headers[name] = value


def _send(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def send(self: Any, conn: Any) -> Any:
        lane = current()
        _inject(lane, self)
        if lane is None:
            return await original(self, conn)
        key = _asked(self)
        if lane.mode == REPLAY and lane.scope.failure_comes(lane, _SEND):  # type: ignore[attr-defined]
            await call_async(lane, _SEND, key, _nothing)
        start_ns = now_ns()
        # Masked, so that the task that writes the body gets no lane unless it needs one.
        LANE.set(masked_value(lane))
        try:
            response = await _with_lane(lane, self, original, conn)
        except (ClientError, OSError, asyncio.CancelledError) as error:
            LANE.set(lane)
            if lane.mode != REPLAY and not _is_of_a_trace(error):
                record_error(lane, _SEND, key, error, start_ns)
            raise
        finally:
            LANE.set(lane)
        setattr(response, _KEY, key)
        return response

    return send


_sending: dict[int, Any] = {}
"""id of a request -> the lane that sends it, while it does."""


async def _with_lane(lane: Any, request: Any, send: Callable[..., Any], conn: Any) -> Any:
    _sending[id(request)] = lane
    try:
        return await send(request, conn)
    finally:
        del _sending[id(request)]


def _is_of_a_trace(error: BaseException) -> bool:
    """Return True where a trace callback raised it: that happens again by itself."""
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_name == "_on_headers_request_sent":
            return True
        traceback = traceback.tb_next
    return False


def _on_headers_sent(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(original)
    async def _on_headers_request_sent(self: Any, *args: Any) -> None:
        lane = _sending.get(id(self))
        if lane is None:
            return await original(self, *args)
        masked = LANE.get()
        LANE.set(lane)  # the callbacks are the application's
        try:
            await original(self, *args)
        finally:
            LANE.set(masked)

    return _on_headers_request_sent


def _write_bytes(
    original: Callable[..., Coroutine[Any, Any, None]],
) -> Callable[..., Coroutine[Any, Any, None]]:
    @functools.wraps(original)
    def write_bytes(self: Any, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, None]:
        lane = _sending.get(id(self))
        writing = original(self, *args, **kwargs)
        body = getattr(self, "_body", None)
        if not isinstance(lane, Lane) or (
            not self._traces and (body is None or _is_plain(body) or isinstance(body, BytesPayload))
        ):
            return writing
        return _in_lane(lane.spawn(), writing)

    return write_bytes


async def _in_lane(child: Lane, writing: Coroutine[Any, Any, None]) -> None:
    before = LANE.get()
    LANE.set(child)  # on 3.12 and later the task starts in its maker's context
    try:
        await writing
    finally:
        child.end()
        LANE.set(before)


# -- the response


def _head(response: Any) -> list[Any]:
    payload = response.content
    # A body that ended already has let go of the connection.
    is_empty, is_eof = payload is EMPTY_PAYLOAD, payload.is_eof()
    if type(payload) is StreamReader:
        payload.__class__ = RecordedReader
    version = [response.version.major, response.version.minor]
    raw = [list(pair) for pair in response._raw_headers]
    return [version, response.status, response.reason, raw, is_empty, is_eof]


def _rebuild(response: Any, connection: Any, head: list[Any]) -> None:
    version, status, reason, raw, is_empty, is_eof = head
    raw_headers = tuple((bytes(name), bytes(value)) for name, value in raw)
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in raw_headers:
        headers.add(
            name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")
        )
    asked = response.request_info.headers.get("Sec-WebSocket-Key")
    if status == 101 and asked and "Sec-WebSocket-Accept" in headers:
        # The answer to the random number that was drawn now.
        digest = hashlib.sha1(asked.encode() + WS_KEY).digest()
        headers["Sec-WebSocket-Accept"] = base64.b64encode(digest).decode()
    protocol = connection.protocol
    response._closed = False
    response._protocol = protocol
    response._connection = connection
    if response._continue is not None:
        set_result(response._continue, True)
        response._continue = None
    if status == 101:
        protocol._upgraded = True
    payload = EMPTY_PAYLOAD if is_empty else RecordedReader(protocol, 2**16, loop=response._loop)
    payload.on_eof(response._response_eof)
    if is_eof and not is_empty:
        payload.feed_eof()
    response.version, response.status = HttpVersion(*version), status
    response.reason = reason
    response._headers = CIMultiDictProxy(headers)
    response._raw_headers = raw_headers
    response.content = payload
    cookies = headers.getall("Set-Cookie", ())
    if cookies:
        response._raw_cookie_headers = tuple(cookies)
        if not hasattr(ClientResponse, "_raw_cookie_headers"):  # before aiohttp 3.12
            for cookie in cookies:
                response.cookies.load(cookie)


def _start(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def start(self: Any, connection: Any) -> Any:
        lane = current()
        if lane is None:
            return await original(self, connection)
        key = getattr(self, _KEY, None) or exchange_key(self.method, str(self._real_url))
        if lane.mode == REPLAY:
            self._connection, self._protocol, self._closed = connection, connection.protocol, False
            try:
                head = await call_async(lane, _HEAD, key, _nothing)
            except ClientResponseError as error:
                error.request_info, error.history = self.request_info, self.history
                error.args = (error.request_info, error.history)
                raise
            _rebuild(self, connection, head)
            return self
        start_ns = now_ns()
        LANE.set(masked_value(lane))
        try:
            await original(self, connection)
        except ClientResponseError as error:
            LANE.set(lane)
            # What it knows of the request holds the request's own headers: left out.
            packed = pack_exception(error)
            packed[1] = []
            for name in ("request_info", "history", "headers"):
                packed[2].pop(name, None)
            lane.record(_HEAD, key, RAISED, packed, start_ns)
            raise
        except BaseException as error:
            LANE.set(lane)
            record_error(lane, _HEAD, key, error, start_ns)
            raise
        LANE.set(lane)
        lane.record(_HEAD, key, 0, _head(self), start_ns)
        return self

    return start


# -- its body


class RecordedReader(StreamReader):
    """aiohttp's reader of a body, whose reads are events, and which replay answers."""

    __slots__ = ()

    async def readuntil(self, *args: Any, **kwargs: Any) -> bytes:
        """Return a line."""
        read: bytes = await self._read(super().readuntil, *args, **kwargs)
        return read

    async def read(self, n: int = -1) -> bytes:
        """Return up to `n` bytes, or all."""
        read: bytes = await self._read(super().read, n)
        return read

    async def readany(self) -> bytes:
        """Return what is there."""
        read: bytes = await self._read(super().readany)
        return read

    async def readchunk(self) -> tuple[bytes, bool]:
        """Return what is there, and whether a chunk of the transfer ends with it."""
        data, ends = await self._read(super().readchunk)
        return data, ends

    async def readexactly(self, n: int) -> bytes:
        """Return `n` bytes."""
        read: bytes = await self._read(super().readexactly, n)
        return read

    async def wait_eof(self) -> None:
        """Wait until all of it has come."""
        await self._read(super().wait_eof)

    def read_nowait(self, n: int = -1) -> bytes:
        """Return up to `n` bytes of what is there."""
        lane = current()
        live = functools.partial(super().read_nowait, n)
        return live() if lane is None else call(lane, _CHUNK, n, live)

    def at_eof(self) -> bool:
        """Return True when all of it was read."""
        lane = current()
        live = super().at_eof
        return live() if lane is None else call(lane, _STATE, "at_eof", live)

    async def _read(self, live: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None:
            return await live(*args, **kwargs)

        async def read() -> list[Any]:
            return [await live(*args, **kwargs), self._eof]

        asked = args[0] if args else None
        try:
            data, ended = await call_async(lane, _CHUNK, asked, read)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if lane.mode == REPLAY and self._exception is None:
                self.set_exception(error)
            raise
        if ended and lane.mode == REPLAY and not self._eof:
            self.feed_eof()  # lets go of the connection, and tells the response
        return data


BOUNDARY = Boundary(
    kind="aiohttp",
    supports="aiohttp>=3.9,<4",
    hooks=(
        Patch(ClientRequest, "send", _send),
        Patch(ClientRequest, "_on_headers_request_sent", _on_headers_sent),
        Patch(ClientRequest, "write_bytes", _write_bytes),
        Patch(ClientResponse, "start", _start),
    ),
)
