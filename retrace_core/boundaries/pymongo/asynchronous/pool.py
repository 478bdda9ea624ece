"""pymongo for asyncio: what the server answers, at the connection.

Hooks: methods of the connection, `Pool.connect`, and whatever opens a socket: it is called
`_configured_...`, and its name has changed twice. Read in pymongo 4.9 to 4.20.
"""

from __future__ import annotations

from pymongo.asynchronous import pool

from retrace_core.boundary import Boundary, Patch
from retrace_core.databases.mongodb.exchanges import (
    authenticating_async,
    connecting_async,
    is_open,
    opening_async,
    receiving_async,
    sending_async,
)

_OPENERS = sorted(name for name in vars(pool) if name.startswith("_configured_"))

BOUNDARY = Boundary(
    kind="pymongo",
    supports="pymongo>=4.9",
    hooks=(
        Patch(pool.AsyncConnection, "send_message", sending_async),
        Patch(pool.AsyncConnection, "receive_message", receiving_async),
        Patch(pool.AsyncConnection, "authenticate", authenticating_async),
        Patch(pool.AsyncConnection, "conn_closed", is_open),
        Patch(pool.Pool, "connect", connecting_async),
        *(Patch(pool, name, opening_async) for name in _OPENERS),
    ),
    errors=("pymongo.errors",),
)
