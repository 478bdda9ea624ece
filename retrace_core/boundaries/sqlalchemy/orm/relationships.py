"""SQLAlchemy's relationships: the columns of a key of several come in the order of its condition.

A relationship keeps its own columns in a set, which is gone through in the order of addresses:
`subqueryload` lists them so in what it asks, and in the statement within it.

Hook: `JoinCondition.local_columns`. Read in SQLAlchemy 2.0 and 2.1.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import relationships
from sqlalchemy.sql import visitors
from sqlalchemy.util import memoized_property

from retrace_core.boundary import Boundary, Patch
from retrace_core.concurrency.in_order import InOrder

_MODULE: Any = relationships
_JOIN: Any = getattr(_MODULE, "_JoinCondition", None) or _MODULE.JoinCondition
"""The name is private in 2.1."""


def _in_order(_: Any) -> Any:
    def local_columns(self: Any) -> Any:
        found = self._gather_join_annotations("local")
        conditions = [one for one in (self.primaryjoin, self.secondaryjoin) if one is not None]
        parts: list[Any] = [part for one in conditions for part in visitors.iterate(one, {})]
        ordered = InOrder(part._deannotate() for part in parts if "local" in part._annotations)
        return ordered if ordered == found else found  # what is no column is copied each time

    return memoized_property(local_columns)


BOUNDARY = Boundary(
    kind="sqlalchemy.relationships",
    supports="sqlalchemy>=2.0",
    hooks=(Patch(_JOIN, "local_columns", _in_order),),
)
