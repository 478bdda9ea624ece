"""asyncpg's descriptions: what the server said of a statement, its parameters and columns.

A statement may have been prepared by an earlier request: SQLAlchemy keeps prepared statements
for each connection and executes them without asking asyncpg for one. A cold replay has to
prepare it. So with the first execution in a lane of a statement that the lane has not seen
prepared its description is recorded, as an event in no order.
"""

from __future__ import annotations

from typing import Any

from retrace_core.boundary import call_free
from retrace_core.databases.postgresql.asyncpg_answers import asked_sql
from retrace_core.native import RECORD
from retrace_core.recording import FREE_OF_ORDER

__all__ = ["TYPES", "described", "description", "known", "saw_prepared"]

TYPES = "_retrace_types"
_SEEN, _KEPT = "_retrace_prepared", "_retrace_descriptions"
_DESCRIBED = FREE_OF_ORDER + "asyncpg.described"
_MOST_KEPT = 512
"""Descriptions that are kept for each connection; asyncpg and SQLAlchemy keep 100 statements."""


def description(protocol: Any, statement: Any) -> dict[str, Any]:
    """Return how a statement is described, with what asyncpg must know of its types."""
    params = [kind.oid for kind in statement._get_parameters()]
    columns = [[column.name, column.type.oid] for column in statement._get_attributes()]
    known: dict[int, Any] = protocol.__dict__.get(TYPES, {})
    types: dict[int, Any] = {}
    for oid in {*params, *(oid for _, oid in columns)}:
        for row in known.get(oid, ()):
            types[row["oid"]] = list(row.items())
    return {"params": params, "columns": columns, "types": list(types.values())}


def saw_prepared(lane: Any, protocol: Any, query: str) -> None:
    """Take note that the description of a statement is recorded in this lane."""
    _seen(lane, protocol).add(query)


def described(lane: Any, protocol: Any, statement: Any) -> None:
    """Record the description of a statement that is executed, unless the lane has it."""
    query = statement.query
    if lane.mode != RECORD or query in _seen(lane, protocol):
        return
    _seen(lane, protocol).add(query)
    kept: dict[str, Any] = protocol.__dict__.setdefault(_KEPT, {})
    found = kept.get(query)
    if found is None:
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        found = kept[query] = description(protocol, statement)
    call_free(lane, _DESCRIBED, [asked_sql(query)], lambda: found)


def known(lane: Any, query: str) -> Any:
    """Return the description that was recorded with an execution, or None (replay only)."""
    return lane.scope.free_answer(lane, _DESCRIBED, [asked_sql(query)])[1]


def _seen(lane: Any, protocol: Any) -> set[str]:
    """Return which statements the lane has seen prepared on this connection."""
    of_lane, seen = protocol.__dict__.get(_SEEN, (None, None))
    if of_lane is not lane:
        seen = set()
        protocol.__dict__[_SEEN] = (lane, seen)
    return seen  # type: ignore[no-any-return]
