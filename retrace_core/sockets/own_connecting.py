"""Own connecting: an own socket that does not wait until it is connected.

That it goes on in the background is no event, as success is none; whether and when it is
connected, `select` and its like say, and how it failed, `SO_ERROR`.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from retrace_core.boundary import attempt, call, call_free, mask
from retrace_core.lanes import Lane
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core import native

__all__ = ["begin", "begin_ex", "connect_error", "is_connecting", "is_over", "tcp_info"]

_ERROR = "socket.error"
_TCP_STATE, _ESTABLISHED = "free.socket.tcp_state", 1
_GOES_ON = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)

_connecting: WeakSet[socket.socket] = WeakSet()
"""In a replay: those over which nothing was sent or received so far."""


def begin(own: socket.socket, peer: str, live: Callable[[], None]) -> int:
    """Connect; return the number of the error that says that it goes on, 0 where it is done.

    Args:
        own: which does not block.
        peer: where to, in words.
        live: connects it.
    """

    def begun() -> int:
        try:
            live()
        except BlockingIOError as error:
            return error.errno or errno.EINPROGRESS
        return 0

    lane = current()
    if lane is None:
        return begun()
    return attempt(lane, "socket.connect", peer, begun, lambda: _played(own))


def begin_ex(own: socket.socket, peer: str, live: Callable[[], int]) -> int:
    """Do what `begin` does, for `connect_ex`: return the number of any error."""
    lane, kind = current(), "socket.connect_ex"
    if lane is None:
        return live()
    if lane.mode != REPLAY:
        with mask():
            failed = live()
        return failed if failed in _GOES_ON else call(lane, kind, peer, lambda: failed)
    if isinstance(lane, Lane) and lane.scope.comes(lane, kind, peer):
        return call(lane, kind, peer, lambda: _played(own))
    return _played(own)


def _played(own: socket.socket) -> int:
    if own in _connecting:
        return errno.EISCONN
    _connecting.add(own)
    return errno.EINPROGRESS if own.family != socket.AF_UNIX else 0


def connect_error(lane: native.Lane, peer: str, live: Callable[[], Any]) -> Any:
    """Return a socket's own error; it is an event where there is one."""
    if lane.mode != REPLAY:
        failed = live()
        return call(lane, _ERROR, peer, lambda: failed) if failed else 0
    if isinstance(lane, Lane) and lane.scope.comes(lane, _ERROR, peer):
        return call(lane, _ERROR, peer, lambda: 0)
    return 0


def tcp_info(lane: native.Lane, peer: str, size: int, live: Callable[[], Any]) -> Any:
    """Return what TCP knows of a connection: on replay only whether it was still there.

    Libraries ask so whether one that they kept was closed by its other end (urllib3-future).

    Args:
        lane: whose code asks.
        peer: the other end, in words.
        size: how long the answer may be, in bytes.
        live: asks the system.
    """
    if lane.mode == REPLAY:
        state = call_free(lane, _TCP_STATE, peer, lambda: _ESTABLISHED)
        return bytes([state]).ljust(size, b"\0")[:size]
    info = live()
    call_free(lane, _TCP_STATE, peer, lambda: info[0] if info else _ESTABLISHED)
    return info


def is_connecting(own: Any) -> bool:
    """Return True in a replay for one that was made, and not used so far."""
    return own in _connecting


def is_over(own: Any) -> None:
    """Take note that something was sent or received: it is connected."""
    if _connecting:
        _connecting.discard(own)
