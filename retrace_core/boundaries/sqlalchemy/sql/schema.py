"""SQLAlchemy's tables: indexes and constraints are made in the order in which they were declared.

A table keeps them in sets, which are gone through in the order of addresses: which of two indexes
is made first, or which of two constraints a migration copies first, would be another one in each
process.

Hooks: `Index._set_parent`, `Constraint._set_parent`. Read in SQLAlchemy 2.0 and 2.1.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from sqlalchemy.sql.schema import Constraint, Index, Table
from sqlalchemy.util import OrderedSet

from retrace_core.boundary import Boundary, Patch

if TYPE_CHECKING:
    from collections.abc import Callable


def _in_order(set_parent: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(set_parent)
    def ordered(self: Any, parent: Any, **options: Any) -> None:
        if isinstance(parent, Table):
            if type(parent.indexes) is set:
                parent.indexes = OrderedSet(parent.indexes)
            if type(parent.constraints) is set:
                parent.constraints = OrderedSet(parent.constraints)
        set_parent(self, parent, **options)

    return ordered


BOUNDARY = Boundary(
    kind="sqlalchemy.schema",
    supports="sqlalchemy>=2.0",
    hooks=(
        Patch(Index, "_set_parent", _in_order),
        Patch(Constraint, "_set_parent", _in_order),
    ),
)
