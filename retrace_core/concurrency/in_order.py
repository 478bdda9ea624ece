"""In order: a set that is gone through in one order, in each process.

A set of objects is gone through in the order of their addresses, which is another one in each
process; a library that asks the world for each of them asks in another order on replay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["InOrder"]


class InOrder(frozenset[Any]):
    """A frozenset whose members come in the order in which they were given.

    Args:
        members: of it; of equal ones the first counts.
    """

    _members: tuple[Any, ...]

    def __new__(cls, members: Iterable[Any]) -> InOrder:
        kept = tuple(dict.fromkeys(members))
        made = super().__new__(cls, kept)
        made._members = kept
        return made

    def __iter__(self) -> Iterator[Any]:
        return iter(self._members)

    def intersection(self, *others: Iterable[Any]) -> InOrder:
        """Return those that are in all of the others too, in this order."""
        common = super().intersection(*others)
        return InOrder(member for member in self._members if member in common)
