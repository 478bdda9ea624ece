"""SQLAlchemy's mappers: eager loaders run in the order in which relationships were declared.

A mapper keeps its attributes in a frozenset, which is gone through in the order of addresses:
which of two relationships that are loaded eagerly is asked for first would be another one in
each process.

Hook: `Mapper._prop_set`. Read in SQLAlchemy 2.0 and 2.1.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm.mapper import Mapper
from sqlalchemy.util import HasMemoized

from retrace_core.boundary import Boundary, Patch
from retrace_core.concurrency.in_order import InOrder


def _in_order(_: Any) -> Any:
    def _prop_set(self: Any) -> InOrder:
        return InOrder(self._props.values())

    return HasMemoized.memoized_attribute(_prop_set)


BOUNDARY = Boundary(
    kind="sqlalchemy.mapper",
    supports="sqlalchemy>=2.0",
    hooks=(Patch(Mapper, "_prop_set", _in_order),),
)
