"""SQLAlchemy's tables: their indexes are made in the order in which they were declared.

A table keeps its indexes in a set, which is gone through in the order of addresses: which of two is
made first would be another one in each process.

Hook: `Index._set_parent`. Read in SQLAlchemy 2.0 and 2.1.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from sqlalchemy.sql.schema import Index, Table
from sqlalchemy.util import OrderedSet

from retrace_core.boundary import Boundary, Patch

if TYPE_CHECKING:
    from collections.abc import Callable


def _in_order(set_parent: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(set_parent)
    def ordered(self: Any, parent: Any, **options: Any) -> None:
        if isinstance(parent, Table) and type(parent.indexes) is set:
            parent.indexes = OrderedSet(parent.indexes)
        set_parent(self, parent, **options)

    return ordered


BOUNDARY = Boundary(
    kind="sqlalchemy.schema",
    supports="sqlalchemy>=2.0",
    hooks=(Patch(Index, "_set_parent", _in_order),),
)
