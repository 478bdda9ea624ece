"""pyzmq under asyncio: what its sockets send, and what their futures come to.

Hooks: the methods of `_AsyncSocket` and `_AsyncPoller` that return a future. While it is recorded
the future is pyzmq's own, so that no message is lost. One that is done at once is an event; what
another one comes to is set by the event loop, and is an event in a lane of its own. Read in
pyzmq 25.1 to 27.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

import zmq
from zmq import _future

from retrace_core.boundary import Boundary, Patch, call, call_async, mask
from retrace_core.called_back import CalledBack, made_future
from retrace_core.codec import PackedException, pack_exception, unpack_exception
from retrace_core.installer import allowed_errors
from retrace_core.native import REPLAY, current
from retrace_core.request_lane import is_request
from retrace_core.zeromq import content_of, ends_of, goes_nowhere, is_world, polled, ready_places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from retrace_core import native
    from retrace_core.lanes import Lane

    Encode = Callable[[Any], Any]
    Live = Callable[[], asyncio.Future[Any]]

_Socket: Any = _future._AsyncSocket
_Poller: Any = _future._AsyncPoller
_Plain: Any = zmq.Socket


def _done(value: Any) -> asyncio.Future[Any]:
    made = made_future()
    made.set_result(value)
    return made


def _come_to(future: asyncio.Future[Any], encode: Encode) -> list[Any]:
    """Return what a future has come to: whether it failed, and what it says."""
    error = future.exception()
    if error is not None:
        return [True, PackedException(pack_exception(error))]
    return [False, encode(future.result())]


def _set(future: asyncio.Future[Any], kept: Any, decode: Encode) -> None:
    failed, value = kept
    if future.done():
        return
    if failed:
        future.set_exception(unpack_exception(value.packed, allowed_errors()))
    else:
        future.set_result(decode(value))


def _asked(
    kind: str, key: object, live: Live, encode: Encode, decode: Encode, sockets: Iterable[Any]
) -> asyncio.Future[Any]:
    """Return the future of what is asked in a lane.

    Args:
        kind, key: of the event.
        live: pyzmq's own method.
        encode: its result as a value.
        decode: and back.
        sockets: whose it is: closing one of them cancels it.
    """
    lane: Any = current()

    def masked() -> asyncio.Future[Any]:
        with mask():
            return live()

    if not is_request(lane):
        return _asked_by_start_up(lane, kind, key, masked, encode, decode)
    if lane.mode == REPLAY:
        return _asked_again(lane, kind, key, masked, decode, sockets)
    future = call(
        lane, kind, key, masked, lambda made: _come_to(made, encode) if _is_set(made) else None
    )
    if not future.done():
        back = CalledBack(lane, kind, key, lambda _: None)
        future.add_done_callback(
            lambda ended: None if ended.cancelled() else back.called(_come_to(ended, encode))
        )
    return future


def _asked_again(
    lane: Lane, kind: str, key: object, live: Live, decode: Encode, sockets: Iterable[Any]
) -> asyncio.Future[Any]:
    """Return on replay the future that was recorded, set at once or in its turn."""
    kept: Any = call(lane, kind, key, live)
    if isinstance(kept, asyncio.Future):
        return kept
    found = made_future()
    if kept is not None:
        _set(found, kept, decode)
        return found
    found.feed = back = CalledBack(lane, kind, key, lambda kept: _set(found, kept, decode))
    for one in sockets:
        ends_of(one).waiting.add(found)
    back.feed()
    return found


def _is_set(future: asyncio.Future[Any]) -> bool:
    return future.done() and not future.cancelled()


def _asked_by_start_up(
    lane: native.Lane, kind: str, key: object, live: Live, encode: Encode, decode: Encode
) -> asyncio.Future[Any]:
    """Return the future of what the start-up asks: it may wait for it, on replay too."""
    begun = live() if lane.mode != REPLAY else None

    async def ask() -> Any:
        async def answer() -> Any:
            return await (begun if begun is not None else live())

        here = current()
        return await (
            answer() if here is None else call_async(here, kind, key, answer, encode, decode)
        )

    return asyncio.ensure_future(ask())


# -- messages


def _sending(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what hooks `send` and `send_multipart`."""

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def send(
            self: Any, data: Any, flags: int = 0, copy: bool = True, track: bool = False, **kw: Any
        ) -> Any:
            live = functools.partial(original, self, data, flags, copy, track, **kw)

            def tracker(*_: Any) -> Any:
                return zmq.MessageTracker() if track or not copy else None

            if not is_world(self):
                return _within(live)
            if current() is None:
                return _done(tracker()) if goes_nowhere(self) else live()
            parts = (
                [content_of(one) for one in data] if name == "send_multipart" else content_of(data)
            )
            key = [ends_of(self).place, parts]
            return _asked(f"zmq.{name}", key, live, lambda _: None, tracker, [self])

        return send

    return hook


def _within(live: Live) -> asyncio.Future[Any]:
    """Return what a socket within the process does: its place in the event loop is nobody's."""
    with mask():
        return live()


def _receiving(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what hooks `recv` and `recv_multipart`."""

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        many = name == "recv_multipart"

        @functools.wraps(original)
        def recv(self: Any, flags: int = 0, copy: bool = True, track: bool = False) -> Any:
            live = functools.partial(original, self, flags, copy, track)
            if current() is None or not is_world(self):
                return _within(live)
            ends = ends_of(self)

            def said(message: Any) -> list[Any]:
                parts = [one if copy else one.bytes for one in (message if many else [message])]
                return [parts, not many and bool(_Plain.getsockopt(self, zmq.RCVMORE))]

            def given(kept: Any) -> Any:
                parts, ends.more = kept
                if not copy:
                    parts = [zmq.Frame(one) for one in parts]
                    for one in parts[:-1]:
                        one.more = True
                    parts[-1].more = ends.more
                return parts if many else parts[0]

            return _asked(f"zmq.{name}", ends.place, live, said, given, [self])

        return recv

    return hook


def _hooked_recv_into(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def recv_into(self: Any, buf: Any, /, *, nbytes: int = 0, flags: int = 0) -> Any:
        live = functools.partial(original, self, buf, nbytes=nbytes, flags=flags)
        if current() is None or not is_world(self):
            return _within(live)
        ends, room = ends_of(self), memoryview(buf).cast("B")

        def said(size: int) -> list[Any]:
            return [bytes(room[: min(size, nbytes or size)]), size]

        def given(kept: Any) -> Any:
            content, size = kept
            room[: len(content)] = content
            return size

        return _asked("zmq.recv_into", ends.place, live, said, given, [self])

    return recv_into


# -- waiting


def _hooked_poll(original: Callable[..., Any]) -> Callable[..., Any]:
    """Hook the `poll` of one socket."""

    @functools.wraps(original)
    def poll(self: Any, timeout: Any = None, flags: int = zmq.POLLIN) -> Any:
        live = functools.partial(original, self, timeout, flags)
        if current() is None or not is_world(self):
            return _within(live)
        key = [[ends_of(self).place, int(flags)]]
        return _asked("zmq.poll", key, live, int, lambda kept: kept, [self])

    return poll


def _hooked_poll_of_many(original: Callable[..., Any]) -> Callable[..., Any]:
    """Hook the `poll` of a poller."""

    @functools.wraps(original)
    def poll(self: Any, timeout: Any = -1) -> Any:
        live = functools.partial(original, self, timeout)
        asked = [one for one, _ in self.sockets]
        outside = [one for one in asked if is_world(one)]
        if current() is None or not outside:
            return _within(live)
        key = [
            [ends_of(one).place if one in outside else "", int(flags)]
            for one, flags in self.sockets
        ]

        def given(kept: Any) -> Any:
            return [(polled(asked[place]), events) for place, events in kept]

        def said(ready: Any) -> list[list[int]]:
            return ready_places(asked, ready)

        return _asked("zmq.poll", key, live, said, given, outside)

    return poll


def _hooked_close(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def close(self: Any, *args: Any, **options: Any) -> None:
        for future in list(ends_of(self).waiting):
            future.cancel()
        original(self, *args, **options)

    return close


BOUNDARY = Boundary(
    kind="zmq",
    supports="pyzmq>=25",
    hooks=(
        Patch(_Socket, "send", _sending("send")),
        Patch(_Socket, "send_multipart", _sending("send_multipart")),
        Patch(_Socket, "recv", _receiving("recv")),
        Patch(_Socket, "recv_multipart", _receiving("recv_multipart")),
        # Since pyzmq 26.4.
        *(
            Patch(_Socket, name, _hooked_recv_into)
            for name in ("recv_into",)
            if hasattr(_Socket, name)
        ),
        Patch(_Socket, "poll", _hooked_poll),
        Patch(_Socket, "close", _hooked_close),
        Patch(_Poller, "poll", _hooked_poll_of_many),
    ),
    errors=("zmq.error",),
)
