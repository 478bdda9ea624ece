"""Opening: where an event loop opens a connection for a protocol that no boundary stands above."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import attempt_async
from retrace_core.calling import called_from
from retrace_core.coverage.coverage_watch import address_text
from retrace_core.coverage.covering import is_anothers_transport
from retrace_core.lanes import Lane
from retrace_core.native import LANE, REPLAY, current
from retrace_core.sockets.own_socket import peer_of
from retrace_core.sockets.own_transport.connection import Connection
from retrace_core.sockets.own_transport.played_transport import (
    PlayedDatagramTransport,
    PlayedStreamTransport,
    PlayedTransport,
)
from retrace_core.sockets.own_transport.telling import Telling
from retrace_core.sockets.own_transport.told_protocol import told_protocol
from retrace_core.sockets.own_transport.transport_hooks import connection_of
from retrace_core.sockets.own_transport.transport_info import info_of

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = ["carry_connection", "carry_datagrams", "carry_tls", "peer_of_stream"]

_CONNECT, _START_TLS = "transport.connect", "transport.start_tls"
_Opens = Callable[..., Awaitable[Any]]


def carry_connection(opens: _Opens) -> _Opens:
    """Return a loop's `create_connection`, or its like for local sockets, that is recorded."""
    return _carrying(opens, PlayedStreamTransport, peer_of_stream)


def carry_datagrams(opens: _Opens) -> _Opens:
    """Return a loop's `create_datagram_endpoint` that is recorded."""
    return _carrying(opens, PlayedDatagramTransport, _peer_of_datagrams)


def _carrying(
    opens: _Opens, played: type[PlayedTransport], peer_of_call: Callable[..., str]
) -> _Opens:
    # No coroutine function: who calls is seen by the call, which a task may await elsewhere.
    @functools.wraps(opens)
    def opening(loop: Any, protocol_factory: Any, *args: Any, **options: Any) -> Awaitable[Any]:
        lane = current()
        if is_anothers_transport(called_from(), in_lane=lane is not None):
            return opens(loop, protocol_factory, *args, **options)
        peer = peer_of_call(*args, **options)
        if isinstance(lane, Lane) and lane.mode == REPLAY:
            return _play(lane, played(loop, peer, options.get("sock")), protocol_factory)

        def live(factory: Any) -> Awaitable[Any]:
            return opens(loop, factory, *args, **options)

        return _open(live, protocol_factory, peer)

    return opening


def peer_of_stream(first: Any = None, port: Any = None, *_: Any, **options: Any) -> str:
    """Return where a connection leads; `first` is a host, or the path of a local socket."""
    host = options.get("host", options.get("path", first))
    port = options.get("port", port)
    if host is None:
        return peer_of(options["sock"]) if options.get("sock") is not None else ""
    return address_text(host if port is None else (host, port))


def _peer_of_datagrams(local_addr: Any = None, remote_addr: Any = None, **options: Any) -> str:
    if remote_addr is not None:
        return address_text(remote_addr)
    return peer_of(options["sock"]) if options.get("sock") is not None else "datagrams"


async def _open(opens: _Opens, factory: Callable[[], Any], peer: str) -> Any:
    lane = current()
    connection = Connection(peer)

    def make() -> Any:
        if not isinstance(lane, Lane):
            return told_protocol(connection, factory())
        token = LANE.set(lane)
        try:
            return told_protocol(connection, factory())
        finally:
            LANE.reset(token)

    live = functools.partial(opens, make)
    if not isinstance(lane, Lane):
        transport, _ = await live()
    else:
        connection.heard_by(lane)
        try:
            transport, _ = await attempt_async(lane, _CONNECT, peer, live)
        except BaseException:
            connection.is_used()
            raise
    return transport, connection.inner


async def _play(lane: Lane, transport: PlayedTransport, factory: Callable[[], Any]) -> Any:
    here = current()  # another, where a task awaits what its parent has called
    if isinstance(here, Lane) and here.mode == REPLAY:
        lane = here
    telling = Telling(lane, transport)
    await attempt_async(lane, _CONNECT, transport.peer, _never)
    protocol = factory()
    await transport.opened(telling, protocol)
    return transport, protocol


def carry_tls(starts: _Opens) -> _Opens:
    """Return a loop's `start_tls` that knows these transports."""

    @functools.wraps(starts)
    async def starting(
        loop: AbstractEventLoop, transport: Any, protocol: Any, *args: Any, **options: Any
    ) -> Any:
        lane = current()
        if isinstance(transport, PlayedTransport):
            transport.set_protocol(protocol)
            if isinstance(lane, Lane):
                await attempt_async(lane, _START_TLS, transport.peer, _never)
                await transport.secured(lane)
            return transport
        connection = connection_of(transport)
        if connection is None:
            return await starts(loop, transport, protocol, *args, **options)
        told = told_protocol(connection, protocol)
        live = functools.partial(starts, loop, transport, told, *args, **options)
        if not isinstance(lane, Lane):
            connection.transport = secured = await live()
            return secured
        connection.transport = secured = await attempt_async(
            lane, _START_TLS, connection.peer, live
        )
        connection.told("tls_started", info_of(secured), _nothing)
        return secured

    return starting


async def _never() -> None:
    return None


def _nothing() -> None:
    return None
