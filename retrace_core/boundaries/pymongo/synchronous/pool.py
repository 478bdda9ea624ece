"""pymongo: what the server answers, at the connection.

Hooks: methods of the connection, `Pool.connect`, and whatever opens a socket: it is called
`_configured_...`, and its name has changed twice. Read in pymongo 4.9 to 4.20.
"""

from __future__ import annotations

from pymongo.synchronous import pool

from retrace_core.boundary import Boundary, Patch
from retrace_core.databases.mongodb.exchanges import (
    authenticating,
    connecting,
    is_open,
    opening,
    receiving,
    sending,
)

_OPENERS = sorted(name for name in vars(pool) if name.startswith("_configured_"))

BOUNDARY = Boundary(
    kind="pymongo",
    supports="pymongo>=4.9",
    hooks=(
        Patch(pool.Connection, "send_message", sending),
        Patch(pool.Connection, "receive_message", receiving),
        Patch(pool.Connection, "authenticate", authenticating),
        Patch(pool.Connection, "conn_closed", is_open),
        Patch(pool.Pool, "connect", connecting),
        *(Patch(pool, name, opening) for name in _OPENERS),
    ),
    errors=("pymongo.errors",),
)
