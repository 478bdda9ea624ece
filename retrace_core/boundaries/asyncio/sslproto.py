"""What is written to asyncio's transports of TLS whose protocol no boundary stands above.

Hooks: `write`, `writelines`, `get_protocol` and `set_protocol` of its transport (`own_transport`).
Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

from asyncio import sslproto
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.sockets.own_transport.transport_hooks import transport_hooks

_TRANSPORT: Any = sslproto._SSLProtocolTransport

BOUNDARY = Boundary(
    kind="transport",
    supports="cpython>=3.11,<3.14",
    hooks=transport_hooks(_TRANSPORT, "write", "writelines"),
)
