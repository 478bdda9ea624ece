"""httpx and its successor httpx2: what their boundaries share.

One event for the head of an exchange, one for each chunk read. Hooks:
`HTTPTransport.handle_request` and `AsyncHTTPTransport.handle_async_request`, above the mapping
of httpcore's errors, so that recorded exceptions are the library's own. Custom transports
(ASGI, mocks) make no outside call and are not hooked. Read in httpx 0.28 and httpx2 2.16.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call, call_async
from retrace_core.http_clients.http_exchange import exchange_key, headers_to_send
from retrace_core.http_clients.httpx_carrier import sent, sent_async
from retrace_core.native import LANE, OFF, REPLAY, current

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from types import ModuleType

__all__ = ["boundary_of"]


class _Family:
    """One of the libraries: its classes, and the kinds of its events."""

    def __init__(self, library: ModuleType, kind: str) -> None:
        sync: Any = library.SyncByteStream
        other: Any = library.AsyncByteStream
        self.response: Any = library.Response
        self.in_memory: Any = library.ByteStream
        self.head = f"{kind}.request"
        kinds = {"chunk": f"{kind}.chunk", "closed": f"{kind}.close"}
        # The clients check that a stream is one of their library's.
        self.stream: Any = type("RecordedStream", (_Stream, sync), kinds)
        self.async_stream: Any = type("RecordedAsyncStream", (_AsyncStream, other), kinds)
        self.upload: Any = type("Upload", (_Upload, sync), {})
        self.async_upload: Any = type("AsyncUpload", (_AsyncUpload, other), {})


def _lane(created_in: Any) -> Any:
    """Return the lane to read a stream in: the current one, or the one that made it."""
    lane = current()
    if lane is not None:
        return lane
    return created_in if created_in.mode != OFF and not created_in.busy else None


def _key(request: Any) -> object:
    body = getattr(request, "_content", None)
    return exchange_key(request.method, str(request.url), body)


def _head(response: Any) -> list[Any]:
    plain = {
        name: value
        for name, value in response.extensions.items()
        if isinstance(value, bytes | str | int)
    }
    return [response.status_code, response.headers.raw, plain]


class _Stream:
    chunk: str
    closed: str

    def __init__(self, inner: Any, lane: Any) -> None:
        self._inner = inner
        self._lane = lane

    def __iter__(self) -> Iterator[bytes]:
        live = iter(self._inner) if self._inner is not None else iter(())
        while True:
            lane = _lane(self._lane)
            read = functools.partial(next, live, None)
            chunk = read() if lane is None else call(lane, self.chunk, None, read)
            if chunk is None:
                return
            yield chunk

    def close(self) -> None:
        lane = _lane(self._lane)
        live = self._inner.close if self._inner is not None else _nothing
        live() if lane is None else call(lane, self.closed, None, live)


class _AsyncStream:
    chunk: str
    closed: str

    def __init__(self, inner: Any, lane: Any) -> None:
        self._inner = inner
        self._lane = lane

    async def __aiter__(self) -> AsyncIterator[bytes]:
        live = self._inner.__aiter__() if self._inner is not None else None

        async def read() -> Any:
            assert live is not None
            try:
                return await live.__anext__()
            except StopAsyncIteration:
                return None

        while True:
            lane = _lane(self._lane)
            chunk = await read() if lane is None else await call_async(lane, self.chunk, None, read)
            if chunk is None:
                return
            yield chunk

    async def aclose(self) -> None:
        lane = _lane(self._lane)
        live = self._inner.aclose if self._inner is not None else _nothing_async
        if lane is None:
            await live()
        else:
            await call_async(lane, self.closed, None, live)


class _Upload:
    """A body that the application produces while the request is sent: its code is recorded."""

    def __init__(self, inner: Any, lane: Any) -> None:
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


class _AsyncUpload:
    """The same, produced by asynchronous code."""

    def __init__(self, inner: Any, lane: Any) -> None:
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


def _send_body(
    family: _Family, transport: Any, request: Any, original: Any, lane: Any, carried: Any
) -> Any:
    body = request.stream
    if not isinstance(body, family.in_memory):
        request.stream = family.upload(body, lane)
    try:
        return sent(carried, transport, request, original)
    finally:
        request.stream = body


async def _send_body_async(
    family: _Family, transport: Any, request: Any, original: Any, lane: Any, carried: Any
) -> Any:
    body = request.stream
    if not isinstance(body, family.in_memory):
        request.stream = family.async_upload(body, lane)
    try:
        return await sent_async(carried, transport, request, original)
    finally:
        request.stream = body


def _nothing() -> Any:
    return None


async def _nothing_async() -> Any:
    return None


def _whole(family: _Family, response: Any) -> Any:
    """Read what was asked live to its end: none of it is left for the replay to answer."""
    body = b"".join(response.stream)
    response.close()
    return _of_bytes(family, response, body)


async def _whole_async(family: _Family, response: Any) -> Any:
    body = b"".join([chunk async for chunk in response.stream])
    await response.aclose()
    return _of_bytes(family, response, body)


def _of_bytes(family: _Family, response: Any, body: bytes) -> Any:
    head = [response.status_code, response.headers.raw, {}]
    return _rebuilt(family, head, family.in_memory(body))


def _rebuilt(family: _Family, head: Any, stream: Any) -> Any:
    status, headers, extensions = head
    return family.response(status, headers=headers, stream=stream, extensions=extensions)


def _handle_request(family: _Family, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def handle_request(self: Any, request: Any) -> Any:
        lane = current()
        carried = headers_to_send(lane)
        if lane is None:
            if not carried:
                return original(self, request)
            return sent(carried, self, request, original)
        key = _key(request)
        if lane.mode == REPLAY:
            try:
                for _ in request.stream:  # the application's code
                    pass
            except Exception:
                with contextlib.suppress(Exception):  # it was recorded as the exchange's failure
                    call(lane, family.head, key, _nothing)
                raise
            head: Any = call(
                lane,
                family.head,
                key,
                lambda: _whole(family, sent(carried, self, request, original)),
            )
            if isinstance(head, family.response):
                return head
            return _rebuilt(family, head, family.stream(None, lane))
        live = functools.partial(_send_body, family, self, request, original, lane, carried)
        response: Any = call(lane, family.head, key, live, _head)
        response.stream = family.stream(response.stream, lane)
        return response

    return handle_request


def _handle_async_request(
    family: _Family, original: Callable[..., Awaitable[Any]]
) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def handle_async_request(self: Any, request: Any) -> Any:
        lane = current()
        carried = headers_to_send(lane)
        if lane is None:
            if not carried:
                return await original(self, request)
            return await sent_async(carried, self, request, original)
        key = _key(request)
        if lane.mode == REPLAY:
            try:
                async for _ in request.stream:
                    pass
            except Exception:
                with contextlib.suppress(Exception):
                    await call_async(lane, family.head, key, _nothing_async)
                raise

            async def live_exchange() -> Any:
                return await _whole_async(
                    family, await sent_async(carried, self, request, original)
                )

            head: Any = await call_async(lane, family.head, key, live_exchange)
            if isinstance(head, family.response):
                return head
            return _rebuilt(family, head, family.async_stream(None, lane))
        live = functools.partial(_send_body_async, family, self, request, original, lane, carried)
        response: Any = await call_async(lane, family.head, key, live, _head)
        response.stream = family.async_stream(response.stream, lane)
        return response

    return handle_async_request


def boundary_of(library: ModuleType, kind: str, supports: str, *errors: str) -> Boundary:
    """Return the boundary of httpx, or of a library that has its classes.

    Args:
        library: the module, imported.
        kind: how its events are named.
        supports: the versions it was read for, as a requirement.
        errors: modules whose exceptions replay may raise again.
    """
    family = _Family(library, kind)
    head = functools.partial(_handle_request, family)
    async_head = functools.partial(_handle_async_request, family)
    return Boundary(
        kind=kind,
        supports=supports,
        hooks=(
            Patch(library.HTTPTransport, "handle_request", head),
            Patch(library.AsyncHTTPTransport, "handle_async_request", async_head),
        ),
        live_on_miss=True,
        errors=errors,
    )
