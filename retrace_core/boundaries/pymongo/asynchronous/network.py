"""pymongo for asyncio, before 4.18: commands that went past the connection's methods.

Hooks: what sends and what receives. Read in pymongo 4.9 to 4.17.
Of asyncio's the latter was called `receive_message` at first.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from retrace_core.boundary import Boundary, Patch
from retrace_core.databases.mongodb.exchanges import receiving_async, sending_async

network: Any = import_module("pymongo.asynchronous.network")
_RECEIVER = next(name for name in vars(network) if name.endswith("receive_message"))

BOUNDARY = Boundary(
    kind="pymongo",
    supports="pymongo>=4.9,<4.18",
    hooks=(
        Patch(network, "async_sendall", sending_async),
        Patch(network, _RECEIVER, receiving_async),
    ),
    errors=("pymongo.errors",),
)
