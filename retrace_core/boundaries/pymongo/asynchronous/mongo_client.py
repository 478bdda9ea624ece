"""pymongo for asyncio: sessions that a closed client ends are no request's.

Hook: `_end_sessions`. Read in pymongo 4.9 to 4.20.
"""

from __future__ import annotations

from pymongo.asynchronous.mongo_client import AsyncMongoClient

from retrace_core.boundary import Boundary, Patch
from retrace_core.masked import masked_async

BOUNDARY = Boundary(
    kind="pymongo",
    supports="pymongo>=4.9",
    hooks=(Patch(AsyncMongoClient, "_end_sessions", masked_async),),
)
