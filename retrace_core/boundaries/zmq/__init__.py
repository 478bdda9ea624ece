"""pyzmq: what goes out by sockets of ZeroMQ, what comes, and for which of them one waits.

Hooks: `zmq.Socket.send`, `recv` and `recv_into`, to which its other methods come (an event for
each part of a message), `zmq_poll` below pollers and `select`, and the options that tell of what
came. Connecting and binding are events only when they fail, or when a port is chosen; on replay
they do nothing. Sockets within the process (`inproc://`) are left alone. Read in pyzmq 25.1 to 27.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import zmq
from zmq.sugar import poll as polling

from retrace_core.boundary import Boundary, Patch, attempt, call, in_replay
from retrace_core.lane_hook import lane_hook
from retrace_core.native import REPLAY, current
from retrace_core.zeromq import (
    content_of,
    ends_of,
    goes_nowhere,
    is_world,
    monitors,
    polled,
    ready_places,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_Socket: Any = zmq.Socket
_get_option: Any = _Socket.getsockopt
_MORE, _EVENTS, _ENDPOINT = int(zmq.RCVMORE), int(zmq.EVENTS), int(zmq.LAST_ENDPOINT)
_CHOSEN = re.compile(r":[*0]$|^ipc://\*$")
"""An address of which the system chooses the port, or the file."""


def _nothing(*_: Any) -> None:
    return None


def _text(address: Any) -> str:
    return address.decode("utf-8", "replace") if isinstance(address, bytes) else str(address)


# -- messages


def _hooked_send(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def send(self: Any, data: Any, flags: int = 0, copy: bool = True, **options: Any) -> Any:
        lane = current()
        track = options.get("track", False)
        live = functools.partial(original, self, data, flags, copy, **options)

        def sent(*_: Any) -> Any:
            return zmq.MessageTracker() if track or not copy else None

        if lane is None:
            return sent() if goes_nowhere(self) else live()
        if not is_world(self):
            return live()
        key = [ends_of(self).place, content_of(data)]
        return call(lane, "zmq.send", key, live, _nothing, sent)

    return lane_hook(original, send, anywhere=True)


def _hooked_recv(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def recv(self: Any, flags: int = 0, copy: bool = True, track: bool = False) -> Any:
        lane, live = current(), functools.partial(original, self, flags, copy, track)
        if lane is None or not is_world(self):
            return live()
        ends = ends_of(self)

        def said(part: Any) -> list[Any]:
            return [part if copy else part.bytes, bool(_get_option(self, _MORE))]

        def given(kept: Any) -> Any:
            content, ends.more = kept
            if copy:
                return content
            frame: Any = zmq.Frame(content)
            frame.more = ends.more
            return frame

        return call(lane, "zmq.recv", ends.place, live, said, given)

    return lane_hook(original, recv)


def _hooked_recv_into(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def recv_into(self: Any, buffer: Any, /, *, nbytes: int = 0, flags: int = 0) -> Any:
        lane = current()
        live = functools.partial(original, self, buffer, nbytes=nbytes, flags=flags)
        if lane is None or not is_world(self):
            return live()
        ends = ends_of(self)

        def said(size: int) -> list[Any]:
            room = memoryview(buffer).cast("B")
            return [bytes(room[: min(size, nbytes or size)]), bool(_get_option(self, _MORE)), size]

        def given(kept: Any) -> Any:
            content, ends.more, size = kept
            memoryview(buffer).cast("B")[: len(content)] = content
            return size

        return call(lane, "zmq.recv_into", ends.place, live, said, given)

    return lane_hook(original, recv_into)


def _hooked_get(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def get(self: Any, option: int) -> Any:
        if option not in (_MORE, _EVENTS, _ENDPOINT) or not is_world(self):
            return original(self, option)
        lane, ends, live = current(), ends_of(self), functools.partial(original, self, option)
        if option == _EVENTS:
            return live() if lane is None else call(lane, "zmq.events", ends.place, live)
        if lane is None or lane.mode != REPLAY:
            return ends.last.encode() if option == _ENDPOINT and in_replay() else live()
        return int(ends.more) if option == _MORE else ends.last.encode()

    return get


# -- where they lead


def _leading(kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what hooks `connect` and `bind`."""

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def lead(self: Any, addr: Any) -> Any:
            lane, address, ends = current(), _text(addr), ends_of(self)
            live = functools.partial(original, self, addr)
            if not ends.lead_to(address):
                return live()

            def unled() -> Any:
                return self._connect_cm(addr) if kind == "zmq.connect" else self._bind_cm(addr)

            if lane is None:
                return unled() if in_replay() else live()
            if not _CHOSEN.search(address):
                return attempt(lane, kind, address, live, unled)

            def chosen(_: Any) -> str:
                return _text(_get_option(self, _ENDPOINT)).rstrip("\0")

            def given(endpoint: Any) -> Any:
                ends.last = endpoint
                return unled()

            return call(lane, kind, address, live, chosen, given)

        return lead

    return hook


def _leaving(kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what hooks `disconnect` and `unbind`."""

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def leave(self: Any, addr: Any) -> Any:
            lane, live = current(), functools.partial(original, self, addr)
            if not is_world(self) or _text(addr).startswith("inproc:"):
                return live()
            if lane is None:
                return None if in_replay() else live()
            return attempt(lane, kind, _text(addr), live, _nothing)

        return leave

    return hook


def _hooked_monitor(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def monitor(self: Any, addr: Any, *args: Any, **options: Any) -> Any:
        if is_world(self) and addr is not None:
            monitors.add(_text(addr))
        return None if in_replay() else original(self, addr, *args, **options)

    return monitor


# -- waiting


def _hooked_poll(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def zmq_poll(sockets: Any, timeout: int = -1) -> Any:
        lane, live = current(), functools.partial(original, sockets, timeout)
        if lane is None or not any(is_world(one) for one, _ in sockets):
            return live()
        asked = [one for one, _ in sockets]
        key = [[ends_of(one).place if is_world(one) else "", flags] for one, flags in sockets]

        def said(ready: Any) -> list[list[int]]:
            return ready_places(asked, ready)

        def given(kept: Any) -> Any:
            return [(polled(asked[place]), events) for place, events in kept]

        return call(lane, "zmq.poll", key, live, said, given)

    return lane_hook(original, zmq_poll)


BOUNDARY = Boundary(
    kind="zmq",
    supports="pyzmq>=25",
    hooks=(
        Patch(_Socket, "send", _hooked_send),
        Patch(_Socket, "recv", _hooked_recv),
        # Since pyzmq 26.4.
        *(
            Patch(_Socket, name, _hooked_recv_into)
            for name in ("recv_into",)
            if hasattr(_Socket, name)
        ),
        Patch(_Socket, "get", _hooked_get),
        Patch(_Socket, "getsockopt", _hooked_get),
        Patch(_Socket, "connect", _leading("zmq.connect")),
        Patch(_Socket, "bind", _leading("zmq.bind")),
        Patch(_Socket, "disconnect", _leaving("zmq.disconnect")),
        Patch(_Socket, "unbind", _leaving("zmq.unbind")),
        Patch(_Socket, "monitor", _hooked_monitor),
        Patch(polling, "zmq_poll", _hooked_poll),
        Patch(zmq, "zmq_poll", _hooked_poll),
    ),
    errors=("zmq.error",),
)
