"""What is written to asyncio's transports, and by its loop, that no boundary stands above.

Hooks: `write` of its transport of bytes (and `writelines`, which is its own since 3.12), `sendto`
of that of datagrams, and `get_protocol` and `set_protocol` of both (`own_transport`); and the
loop's `sock_connect` and `sock_accept`, and what it sends and receives by such a socket
(`own_loop_socket`); and `add_reader` and its like, by which others do that (`watching`). Read in
CPython 3.11 to 3.13.
"""

from __future__ import annotations

from asyncio import selector_events
from typing import Any

from retrace_core.boundary import Boundary, Patch
from retrace_core.sockets.own_loop_socket import (
    carry_accepting,
    carry_connecting,
    carry_receiving,
    carry_sending,
)
from retrace_core.sockets.own_transport.transport_hooks import transport_hooks
from retrace_core.sockets.own_transport.watching import carry_unwatching, carry_watching

_events: Any = selector_events
_LOOP: Any = _events.BaseSelectorEventLoop
_SENDS = ("sock_sendall", "sock_sendto")
_RECEIVES = ("sock_recv", "sock_recv_into", "sock_recvfrom", "sock_recvfrom_into")
_STREAM: Any = _events._SelectorSocketTransport
_WRITES = [name for name in ("write", "writelines") if name in vars(_STREAM)]

BOUNDARY = Boundary(
    kind="transport",
    supports="cpython>=3.11,<3.14",
    hooks=(
        *transport_hooks(_STREAM, *_WRITES),
        *transport_hooks(_events._SelectorDatagramTransport, "sendto"),
        Patch(_LOOP, "sock_connect", carry_connecting),
        Patch(_LOOP, "sock_accept", carry_accepting),
        *(Patch(_LOOP, name, carry_watching) for name in ("add_reader", "add_writer")),
        *(Patch(_LOOP, name, carry_unwatching) for name in ("remove_reader", "remove_writer")),
        *(Patch(_LOOP, name, carry_sending) for name in _SENDS),
        *(Patch(_LOOP, name, carry_receiving) for name in _RECEIVES),
    ),
)
