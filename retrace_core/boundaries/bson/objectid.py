"""bson: a new ObjectId, made of the clock, of a number of the process and of a counter.

Hook: `ObjectId.__init__`, where it is not given one. Read in pymongo 4.9 to 4.20.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from bson.objectid import ObjectId

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_ID = "_ObjectId__id"


def _hooked_init(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def __init__(self: Any, oid: Any = None) -> None:  # noqa: N807  # takes its place
        lane = current() if oid is None else None
        if lane is None:
            original(self, oid)
            return

        def live() -> bytes:
            original(self)
            made: bytes = getattr(self, _ID)
            return made

        setattr(self, _ID, call(lane, "bson.objectid", None, live))

    return __init__


BOUNDARY = Boundary(
    kind="bson",
    supports="pymongo>=4.9",
    hooks=(Patch(ObjectId, "__init__", _hooked_init),),
    errors=("bson.errors",),
)
