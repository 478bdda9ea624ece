"""pymongo, before 4.18: commands that went past the connection's methods.

Hooks: what sends and what receives. Read in pymongo 4.9 to 4.17.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from retrace_core.boundary import Boundary, Patch
from retrace_core.databases.mongodb.exchanges import receiving, sending

network: Any = import_module("pymongo.synchronous.network")

BOUNDARY = Boundary(
    kind="pymongo",
    supports="pymongo>=4.9,<4.18",
    hooks=(Patch(network, "sendall", sending), Patch(network, "receive_message", receiving)),
    errors=("pymongo.errors",),
)
