"""httpx, sync and async: one event for the head of an exchange, one for each chunk read.

Hooks: `HTTPTransport.handle_request` and `AsyncHTTPTransport.handle_async_request`, above
httpx's mapping of httpcore's errors, so that recorded exceptions are httpx's own. Custom
transports (ASGI, mocks) make no outside call and are not hooked. Read in httpx 0.28.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any, cast

import httpx

from retrace_core.boundary import Boundary, Patch, call, call_async
from retrace_core.http_exchange import exchange_key, headers_to_send, missing_headers
from retrace_core.native import LANE, OFF, REPLAY, current

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

_HEAD, _CHUNK, _CLOSE = "httpx.request", "httpx.chunk", "httpx.close"


def _lane(created_in: Any) -> Any:
    """Return the lane to read a stream in: the current one, or the one that made it."""
    lane = current()
    if lane is not None:
        return lane
    return created_in if created_in.mode != OFF and not created_in.busy else None


def _key(request: httpx.Request) -> object:
    body = getattr(request, "_content", None)
    return exchange_key(request.method, str(request.url), body)


def _head(response: httpx.Response) -> list[Any]:
    plain = {
        name: value
        for name, value in response.extensions.items()
        if isinstance(value, bytes | str | int)
    }
    return [response.status_code, response.headers.raw, plain]


def _inject(lane: Any, request: httpx.Request) -> None:
    carried = headers_to_send(lane)
    if carried:
        # Not `in request.headers`, which finds out the encoding of all of them each time.
        given = {name.lower() for name, _ in request.headers.raw}
        for name, value in missing_headers(carried, lambda name: name.encode("latin-1") in given):
            request.headers[name] = value


class _Stream(httpx.SyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream | None, lane: Any) -> None:
        self._inner = inner
        self._lane = lane

    def __iter__(self) -> Iterator[bytes]:
        live = iter(self._inner) if self._inner is not None else iter(())
        while True:
            lane = _lane(self._lane)
            read = functools.partial(next, live, None)
            chunk = read() if lane is None else call(lane, _CHUNK, None, read)
            if chunk is None:
                return
            yield chunk

    def close(self) -> None:
        lane = _lane(self._lane)
        live = self._inner.close if self._inner is not None else _nothing
        live() if lane is None else call(lane, _CLOSE, None, live)


class _AsyncStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream | None, lane: Any) -> None:
        self._inner = inner
        self._lane = lane

    async def __aiter__(self) -> AsyncIterator[bytes]:
        live = self._inner.__aiter__() if self._inner is not None else None

        async def read() -> bytes | None:
            assert live is not None
            try:
                return await live.__anext__()
            except StopAsyncIteration:
                return None

        while True:
            lane = _lane(self._lane)
            chunk = await read() if lane is None else await call_async(lane, _CHUNK, None, read)
            if chunk is None:
                return
            yield chunk

    async def aclose(self) -> None:
        lane = _lane(self._lane)
        live = self._inner.aclose if self._inner is not None else _nothing_async
        if lane is None:
            await live()
        else:
            await call_async(lane, _CLOSE, None, live)


class _Upload(httpx.SyncByteStream):
    """A body that the application produces while the request is sent: its code is recorded."""

    def __init__(self, inner: httpx.SyncByteStream, lane: Any) -> None:
        self._inner = inner
        self._lane = lane

    def __iter__(self) -> Iterator[bytes]:
        parts = iter(self._inner)
        while True:
            self._lane.busy -= 1
            try:
                part = next(parts, None)
            finally:
                self._lane.busy += 1
            if part is None:
                return
            yield part

    def close(self) -> None:
        self._inner.close()


class _AsyncUpload(httpx.AsyncByteStream):
    """The same, produced by asynchronous code."""

    def __init__(self, inner: httpx.AsyncByteStream, lane: Any) -> None:
        self._inner = inner
        self._lane = lane

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = self._inner.__aiter__()
        while True:
            masked = LANE.get()
            LANE.set(self._lane)
            try:
                part = await anext(parts, None)
            finally:
                LANE.set(masked)
            if part is None:
                return
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()


def _send_body(self: httpx.HTTPTransport, request: httpx.Request, original: Any, lane: Any) -> Any:
    body = request.stream
    if not isinstance(body, httpx.ByteStream):
        request.stream = _Upload(body, lane)  # type: ignore[arg-type]
    try:
        return original(self, request)
    finally:
        request.stream = body


async def _send_body_async(self: Any, request: httpx.Request, original: Any, lane: Any) -> Any:
    body = request.stream
    if not isinstance(body, httpx.ByteStream):
        request.stream = _AsyncUpload(body, lane)  # type: ignore[arg-type]
    try:
        return await original(self, request)
    finally:
        request.stream = body


def _nothing() -> Any:
    return None


async def _nothing_async() -> Any:
    return None


def _whole(response: httpx.Response) -> httpx.Response:
    """Read what was asked live to its end: none of it is left for the replay to answer."""
    body = b"".join(cast("Any", response.stream))
    response.close()
    return _of_bytes(response, body)


async def _whole_async(response: httpx.Response) -> httpx.Response:
    body = b"".join([chunk async for chunk in cast("Any", response.stream)])
    await response.aclose()
    return _of_bytes(response, body)


def _of_bytes(response: httpx.Response, body: bytes) -> httpx.Response:
    head = [response.status_code, response.headers.raw, {}]
    return _rebuilt(head, httpx.ByteStream(body))


def _rebuilt(head: Any, stream: Any) -> httpx.Response:
    status, headers, extensions = head
    return httpx.Response(status, headers=headers, stream=stream, extensions=extensions)


def _handle_request(original: Callable[..., httpx.Response]) -> Callable[..., httpx.Response]:
    @functools.wraps(original)
    def handle_request(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        lane = current()
        _inject(lane, request)
        if lane is None:
            return original(self, request)
        key = _key(request)
        if lane.mode == REPLAY:
            try:
                for _ in request.stream:  # type: ignore[union-attr]  # the application's code
                    pass
            except Exception:
                with contextlib.suppress(Exception):  # it was recorded as the exchange's failure
                    call(lane, _HEAD, key, _nothing)
                raise
            head: Any = call(lane, _HEAD, key, lambda: _whole(original(self, request)))
            return head if isinstance(head, httpx.Response) else _rebuilt(head, _Stream(None, lane))
        live = functools.partial(_send_body, self, request, original, lane)
        response: httpx.Response = call(lane, _HEAD, key, live, _head)
        response.stream = _Stream(response.stream, lane)  # type: ignore[arg-type]
        return response

    return handle_request


def _handle_async_request(
    original: Callable[..., Awaitable[httpx.Response]],
) -> Callable[..., Awaitable[httpx.Response]]:
    @functools.wraps(original)
    async def handle_async_request(
        self: httpx.AsyncHTTPTransport, request: httpx.Request
    ) -> httpx.Response:
        lane = current()
        _inject(lane, request)
        if lane is None:
            return await original(self, request)
        key = _key(request)
        if lane.mode == REPLAY:
            try:
                async for _ in request.stream:  # type: ignore[union-attr]
                    pass
            except Exception:
                with contextlib.suppress(Exception):
                    await call_async(lane, _HEAD, key, _nothing_async)
                raise

            async def live_exchange() -> Any:
                return await _whole_async(await original(self, request))

            head: Any = await call_async(lane, _HEAD, key, live_exchange)
            if isinstance(head, httpx.Response):
                return head
            return _rebuilt(head, _AsyncStream(None, lane))
        live = functools.partial(_send_body_async, self, request, original, lane)
        response: httpx.Response = await call_async(lane, _HEAD, key, live, _head)
        response.stream = _AsyncStream(response.stream, lane)  # type: ignore[arg-type]
        return response

    return handle_async_request


BOUNDARY = Boundary(
    kind="httpx",
    supports="httpx>=0.24",
    hooks=(
        Patch(httpx.HTTPTransport, "handle_request", _handle_request),
        Patch(httpx.AsyncHTTPTransport, "handle_async_request", _handle_async_request),
    ),
    live_on_miss=True,
    errors=("httpx", "httpcore"),
)
