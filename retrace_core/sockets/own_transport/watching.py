"""Watching: own sockets of which an event loop says that they are readable, or writable.

By `add_reader` and `add_writer`, as client libraries do that read and write by themselves
(Tornado's). Each time that it is said is an event, as what a protocol is told; on replay it is said
again in the same turns, by no socket.
"""

from __future__ import annotations

import asyncio
import functools
from contextvars import copy_context
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from retrace_core import failsafe
from retrace_core.boundary import in_replay, mask
from retrace_core.lanes import Lane
from retrace_core.native import REPLAY, current
from retrace_core.sockets.heard_by_several import OTHERS
from retrace_core.sockets.own_connecting import is_connecting
from retrace_core.sockets.own_socket import on_use, own_at, peer_of
from retrace_core.sockets.own_transport.connection import Connection
from retrace_core.sockets.own_transport.hearing import WRITABLE
from retrace_core.sockets.own_transport.telling import Telling, telling_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from contextvars import Context

__all__ = ["carry_unwatching", "carry_watching"]

_PATIENCE_S = 5.0
_READS, _WRITES = "readable", "writable"

_watches: WeakKeyDictionary[socket.socket, Watch] = WeakKeyDictionary()


class Watch:
    """What is known of one socket that a loop watches, or a request uses in a loop.

    Args:
        own: the socket.
    """

    def __init__(self, own: Any) -> None:
        self.connection = Connection(peer_of(own))
        self.peer = self.connection.peer
        self._callbacks: dict[str, tuple[Context, Callable[..., object], tuple[Any, ...]]] = {}
        """In a replay: what is called, by what it waits for."""
        self._tellings: list[Telling] = []
        self._comes = asyncio.Event()

    # -- while it is recorded, or nobody records

    def told(self, what: str, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        """Call what waits for it, in the lanes of those that hear it."""
        if self.connection.hearings:
            self.connection.told(what, None, self._call, callback, args)
        else:
            callback(*args)

    def _call(self, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        here = current()
        lanes = [one.lane for one in self.connection.hearings]
        token = OTHERS.set([one for one in lanes if one is not None and one is not here])
        try:
            callback(*args)
        finally:
            OTHERS.reset(token)

    # -- on replay

    def telling(self, lane: Lane) -> Telling:
        """Return what tells it what the recording of a lane had heard; begin it if need be."""
        return telling_of(lane, self, self._tellings)

    def add(self, what: str, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        """Have something called where it was recorded."""
        self._callbacks[what] = copy_context(), callback, args
        self._comes.set()

    def remove(self, what: str) -> bool:
        """Have it called no more; return whether it was to be."""
        return self._callbacks.pop(what, None) is not None

    async def ready_for(self, what: str) -> None:
        """Wait until the code waits for something, as it did when it was recorded."""
        until = asyncio.get_running_loop().time() + _PATIENCE_S
        while what not in self._callbacks and asyncio.get_running_loop().time() < until:
            self._comes.clear()
            try:
                await asyncio.wait_for(self._comes.wait(), 0.1)
            except TimeoutError:
                continue

    def tell(self, what: str, value: object) -> None:
        """Say it; there is no more to it than that."""
        del value
        if what not in self._callbacks:
            return
        _context, callback, args = self._callbacks[what]
        try:
            callback(*args)
        except Exception as error:  # noqa: BLE001  # as the loop does of what it calls
            context = {"message": f"Exception in callback {callback!r}", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

    def was_told(self) -> None:
        """Do nothing: there is no more to tell."""


def _watch_of(own: Any) -> Watch:
    watch = _watches.get(own)
    if watch is None:
        watch = _watches[own] = Watch(own)
    return watch


def _moved(own: Any, secured: Any) -> None:
    if (watch := _watches.pop(own, None)) is not None:
        _watches[secured] = watch


def carry_watching(add: Callable[..., Any]) -> Callable[..., Any]:
    """Return a loop's `add_reader`, or `add_writer`, that is recorded."""
    what = _READS if add.__name__ == "add_reader" else _WRITES

    @functools.wraps(add)
    def adding(loop: Any, fd: Any, callback: Any, *args: Any) -> Any:
        own = own_at(fd)
        if own is None:
            return add(loop, fd, callback, *args)
        lane, watch = current(), _watch_of(own)
        if in_replay():
            watch.add(what, callback, args)
            if isinstance(lane, Lane) and lane.mode == REPLAY:
                telling = watch.telling(lane)
                if what == _WRITES and is_connecting(own) and telling.next_kind != WRITABLE:
                    loop.call_soon(callback, *args)  # the recorded request had a connection
            return None
        if isinstance(lane, Lane):
            with failsafe.gate("watch a socket"):
                watch.connection.heard_by(lane)
        with mask():  # the loop asks a socket for its names
            return add(loop, fd, watch.told, what, callback, args)

    return adding


def carry_unwatching(remove: Callable[..., bool]) -> Callable[..., bool]:
    """Return a loop's `remove_reader`, or `remove_writer`, that knows these."""
    what = _READS if remove.__name__ == "remove_reader" else _WRITES

    @functools.wraps(remove)
    def removing(loop: Any, fd: Any) -> bool:
        own = own_at(fd)
        if own is None:
            return remove(loop, fd)
        if in_replay():
            return _watch_of(own).remove(what)
        with mask():
            return remove(loop, fd)

    return removing


def _used(own: Any, lane: Any) -> None:
    if lane is None:
        if _watches and (watch := _watches.get(own)) is not None:
            watch.connection.is_used()
        return
    if not isinstance(lane, Lane) or own.gettimeout() != 0:
        return
    if asyncio._get_running_loop() is None:
        return
    watch = _watch_of(own)
    if lane.mode == REPLAY:
        watch.telling(lane).wrote()
        return
    with failsafe.gate("watch a socket"):
        watch.connection.heard_by(lane)
        watch.connection.is_used_in(lane)


on_use(_used, _moved)
