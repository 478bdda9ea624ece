"""pymongo: sessions that a closed client ends are no request's.

Hook: `_end_sessions`. Read in pymongo 4.9 to 4.20.
"""

from __future__ import annotations

from pymongo.synchronous.mongo_client import MongoClient

from retrace_core.boundary import Boundary, Patch
from retrace_core.masked import masked

BOUNDARY = Boundary(
    kind="pymongo",
    supports="pymongo>=4.9",
    hooks=(Patch(MongoClient, "_end_sessions", masked),),
)
