"""Own loop socket: one that does not block, and that an event loop reads and writes.

As `own_socket` is for who blocks; it is of the same class once it was connected, or has sent a
datagram.
"""

from __future__ import annotations

import functools
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import attempt_async, call_async
from retrace_core.coverage.covering import is_anothers_transport
from retrace_core.lanes import Lane
from retrace_core.native import current
from retrace_core.sockets.own_socket import (
    OwnSocket,
    adopt,
    is_asked,
    note_asked,
    peer_at,
    peer_of,
    put_into,
)
from retrace_core.sockets.sent_key import sent_key

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["carry_accepting", "carry_connecting", "carry_receiving", "carry_sending"]

_SEND, _RECEIVE = "socket.send", "socket.receive"
_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
_Does = Callable[..., Awaitable[Any]]


def carry_connecting(connects: _Does) -> _Does:
    """Return a loop's `sock_connect` that makes a socket an own one."""

    @functools.wraps(connects)
    def connecting(loop: Any, sock: Any, address: Any) -> Awaitable[Any]:
        if not _may_be_own(sock, sys._getframe(1)):
            return connects(loop, sock, address)
        return _connect(functools.partial(connects, loop, sock, address), sock, address)

    return connecting


async def _connect(live: Callable[[], Awaitable[Any]], sock: Any, address: Any) -> None:
    lane, peer = current(), peer_at(address)
    if isinstance(lane, Lane):
        await attempt_async(lane, "socket.connect", peer, live)
    else:
        await live()
    adopt(sock, peer)


def carry_accepting(accepts: _Does) -> _Does:
    """Return a loop's `sock_accept` that is recorded, of a listener that a request has bound."""

    @functools.wraps(accepts)
    def accepting(loop: Any, sock: Any) -> Awaitable[Any]:
        lane = current()
        live = functools.partial(accepts, loop, sock)
        if not isinstance(lane, Lane) or type(sock) is not OwnSocket:
            return live()
        return _accept(lane, live, sock)

    return accepting


async def _accept(lane: Lane, live: Callable[[], Awaitable[Any]], sock: OwnSocket) -> Any:
    def made(address: Any) -> tuple[socket.socket, Any]:
        return socket.socket(sock.family, sock.type, sock.proto), address

    key = [peer_of(sock)]
    accepted, address = await call_async(
        lane, "socket.accept", key, live, lambda both: both[1], made
    )
    accepted.setblocking(False)
    adopt(accepted, "a client")
    return accepted, address


def carry_sending(sends: _Does) -> _Does:
    """Return a loop's `sock_sendall`, or `sock_sendto`, that is recorded."""

    @functools.wraps(sends)
    def sending(loop: Any, sock: Any, data: Any, *to: Any) -> Awaitable[Any]:
        lane = current()
        live = functools.partial(sends, loop, sock, data, *to)
        if not isinstance(lane, Lane):
            return live()
        if to and type(sock) is socket.socket and _may_be_own(sock, sys._getframe(1)):
            adopt(sock, peer_at(to[0]))
        if type(sock) is not OwnSocket:
            return live()
        peer = peer_at(to[0]) if to else peer_of(sock)
        key = [peer, sent_key(bytes(data), secret=is_asked(sock))]
        return call_async(lane, _SEND, key, live)

    return sending


def carry_receiving(receives: _Does) -> _Does:
    """Return a loop's `sock_recv` that is recorded, or one of its like."""
    into, tells = receives.__name__.endswith("_into"), "recvfrom" in receives.__name__

    @functools.wraps(receives)
    def receiving(loop: Any, sock: Any, what: Any, *size: Any) -> Awaitable[Any]:
        lane = current()
        live = functools.partial(receives, loop, sock, what, *size)
        if not isinstance(lane, Lane) or type(sock) is not OwnSocket:
            return live()
        return _receive(lane, live, sock, what, into=into, tells=tells)

    return receiving


async def _receive(
    lane: Lane,
    live: Callable[[], Awaitable[Any]],
    sock: OwnSocket,
    what: Any,
    *,
    into: bool,
    tells: bool,
) -> Any:
    """Receive some bytes, in a lane.

    Args:
        lane: of whose code.
        live: receives them.
        sock: from which.
        what: how many, or the buffer for them.
        into: whether it is a buffer.
        tells: whether the outcome says where they are from.
    """

    def kept(outcome: Any) -> object:
        if not into:
            return outcome
        size, *source = outcome if tells else (outcome,)
        data = bytes(memoryview(what).cast("B")[:size])
        return (data, *source) if tells else data

    def given(value: Any) -> Any:
        if not into:
            return value
        data, *source = value if tells else (value,)
        size = put_into(data, what)
        return (size, *source) if tells else size

    size = memoryview(what).nbytes if into else what
    outcome = await call_async(lane, _RECEIVE, [peer_of(sock), size], live, kept, given)
    if not into:
        note_asked(sock, outcome[0] if tells else outcome)
    return outcome


def _may_be_own(sock: Any, caller: FrameType) -> bool:
    """Return True for a plain socket that no boundary stands above."""
    if type(sock) is not socket.socket or sock.family not in _FAMILIES:
        return False
    return not is_anothers_transport(caller, in_lane=current() is not None)
