"""Local sockets of asyncio's event loop on Unix, with a protocol that no boundary stands above.

Hooks: its `create_unix_connection` and `create_unix_server` (`own_transport`). Read in CPython 3.11
to 3.13.
"""

from __future__ import annotations

from asyncio import unix_events

from retrace_core.boundary import Boundary, Patch
from retrace_core.sockets.own_transport.accepting import carry_server
from retrace_core.sockets.own_transport.opening import carry_connection

BOUNDARY = Boundary(
    kind="transport",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(unix_events.SelectorEventLoop, "create_unix_connection", carry_connection),
        Patch(unix_events.SelectorEventLoop, "create_unix_server", carry_server),
    ),
)
