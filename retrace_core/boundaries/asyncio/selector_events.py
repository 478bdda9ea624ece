"""What is written to asyncio's transports whose protocol no boundary stands above.

Hooks: `write` of its transport of bytes (and `writelines`, which is its own since 3.12), `sendto`
of that of datagrams, and `get_protocol` and `set_protocol` of both (`own_transport`). Read in
CPython 3.11 to 3.13.
"""

from __future__ import annotations

from asyncio import selector_events
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.own_transport.transport_hooks import transport_hooks

_events: Any = selector_events
_STREAM: Any = _events._SelectorSocketTransport
_WRITES = [name for name in ("write", "writelines") if name in vars(_STREAM)]

BOUNDARY = Boundary(
    kind="transport",
    supports="cpython>=3.11,<3.14",
    hooks=(
        *transport_hooks(_STREAM, *_WRITES),
        *transport_hooks(_events._SelectorDatagramTransport, "sendto"),
    ),
)
