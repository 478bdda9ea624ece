"""SQLAlchemy's mappers: eager loaders run in the order in which relationships were declared.

A mapper keeps its attributes in a frozenset, which is gone through in the order of addresses:
which of two relationships that are loaded eagerly is asked for first would be another one in
each process.

Hook: `Mapper._prop_set`. Read in SQLAlchemy 2.0 and 2.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.orm.mapper import Mapper
from sqlalchemy.util import HasMemoized

from retrace_core.boundary import Boundary, Patch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class _InOrder(frozenset[Any]):
    """What the loading of rows needs of a frozenset."""

    _members: tuple[Any, ...]

    def __new__(cls, members: Iterable[Any]) -> _InOrder:
        kept = tuple(members)
        made = super().__new__(cls, kept)
        made._members = kept
        return made

    def __iter__(self) -> Iterator[Any]:
        return iter(self._members)

    def intersection(self, *others: Iterable[Any]) -> _InOrder:
        """Return those that are in all of the others too, in this order."""
        common = super().intersection(*others)
        return _InOrder(member for member in self._members if member in common)


def _in_order(_: Any) -> Any:
    def _prop_set(self: Any) -> _InOrder:
        return _InOrder(self._props.values())

    return HasMemoized.memoized_attribute(_prop_set)


BOUNDARY = Boundary(
    kind="sqlalchemy.mapper",
    supports="sqlalchemy>=2.0",
    hooks=(Patch(Mapper, "_prop_set", _in_order),),
)
