"""pymongo for asyncio: the names of `mongodb+srv://`.

Hooks: `_SrvResolver.get_options` and `get_hosts`. Read in pymongo 4.9 to 4.20.
"""

from __future__ import annotations

from pymongo.asynchronous.srv_resolver import _SrvResolver

from retrace_core.boundary import Boundary, Patch
from retrace_core.databases.mongodb.srv import looking_up_async

BOUNDARY = Boundary(
    kind="pymongo",
    supports="pymongo>=4.9",
    hooks=(
        Patch(_SrvResolver, "get_options", looking_up_async),
        Patch(_SrvResolver, "get_hosts", looking_up_async),
    ),
    errors=("pymongo.errors",),
)
