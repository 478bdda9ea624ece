"""Tasks and futures that a request creates, on uvloop's event loop.

Hook: `uvloop.Loop.create_task`, `create_future` and `call_soon_threadsafe`, as on asyncio's loops;
it is a Python subclass of the C loop, so that they can be set. And `time`, by the clock that it
stands for: who is asked by a request's code is no timer. And connections, and what their transports
are told (`own_transport`): the classes of transports are in C. Read in uvloop 0.22.
"""

from __future__ import annotations

import functools
from time import monotonic
from typing import TYPE_CHECKING, Any

import uvloop
from uvloop import loop as in_c

from retrace_core.boundary import Boundary, Patch
from retrace_core.concurrency.carrying import carry_task
from retrace_core.concurrency.handed_futures import carry_future_result
from retrace_core.concurrency.start_up_timers import carry_timer
from retrace_core.concurrency.told_loop import carry_telling
from retrace_core.native import current
from retrace_core.sockets.looked_up import carry_looking_up
from retrace_core.sockets.own_loop_socket import (
    carry_accepting,
    carry_connecting,
    carry_receiving,
    carry_sending,
)
from retrace_core.sockets.own_transport.accepting import carry_server
from retrace_core.sockets.own_transport.opening import carry_connection, carry_datagrams, carry_tls
from retrace_core.sockets.own_transport.transport_hooks import transport_hooks
from retrace_core.sockets.own_transport.watching import carry_unwatching, carry_watching

if TYPE_CHECKING:
    from collections.abc import Callable


def _telling(tell: Callable[[Any], float]) -> Callable[[Any], float]:
    @functools.wraps(tell)
    def time(loop: Any) -> float:
        return tell(loop) if current() is None else monotonic()

    return time


_c: Any = in_c

BOUNDARY = Boundary(
    kind="task",
    supports="uvloop>=0.17",
    hooks=(
        Patch(uvloop.Loop, "create_task", carry_task),
        Patch(uvloop.Loop, "create_future", carry_future_result),
        Patch(uvloop.Loop, "call_at", carry_timer),
        Patch(uvloop.Loop, "call_later", carry_timer),
        Patch(uvloop.Loop, "call_soon_threadsafe", carry_telling),
        Patch(uvloop.Loop, "getaddrinfo", carry_looking_up),
        Patch(uvloop.Loop, "time", _telling),
        Patch(uvloop.Loop, "create_connection", carry_connection),
        Patch(uvloop.Loop, "create_unix_connection", carry_connection),
        Patch(uvloop.Loop, "create_datagram_endpoint", carry_datagrams),
        Patch(uvloop.Loop, "start_tls", carry_tls),
        Patch(uvloop.Loop, "create_server", carry_server),
        Patch(uvloop.Loop, "create_unix_server", carry_server),
        Patch(uvloop.Loop, "sock_connect", carry_connecting),
        Patch(uvloop.Loop, "sock_accept", carry_accepting),
        Patch(uvloop.Loop, "sock_sendall", carry_sending),
        Patch(uvloop.Loop, "sock_recv", carry_receiving),
        Patch(uvloop.Loop, "sock_recv_into", carry_receiving),
        *(Patch(uvloop.Loop, name, carry_watching) for name in ("add_reader", "add_writer")),
        *(
            Patch(uvloop.Loop, name, carry_unwatching)
            for name in ("remove_reader", "remove_writer")
        ),
        *transport_hooks(_c.UVBaseTransport),
        *transport_hooks(_c.UVStream, "write", "writelines", base=_c.UVBaseTransport),
        *transport_hooks(_c.UDPTransport, "sendto", base=_c.UVBaseTransport),
        *transport_hooks(_c._SSLProtocolTransport, "write", "writelines"),
    ),
)
