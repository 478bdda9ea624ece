"""Tables: the schema of the catalog, the same for SQLite and PostgreSQL.

What repeats (services, routes, exception types, decisions) stands once in `names`, so that a row
is small and a pattern is matched against each name once, and not against each row.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql

__all__ = [
    "DECISION",
    "ERROR",
    "ROUTE",
    "SERVICE",
    "facts",
    "indexes",
    "metadata",
    "names",
    "recordings",
    "tags",
]

SERVICE: Final = 1
ROUTE: Final = 2
ERROR: Final = 3
DECISION: Final = 4
"""Kinds of names."""

metadata = MetaData()

_Key = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite gives a row's own number to INTEGER only."""
_Words = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Compared byte by byte, so that the beginning of a text is a range of an index."""

facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Of the catalog itself: the version of its schema, the store it is of, when it was filled."""

names = Table(
    "names",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", SmallInteger, nullable=False),
    Column("text", _Words, nullable=False),
    UniqueConstraint("kind", "text"),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=False),
    Column("path", _Words, nullable=False, unique=True),
    Column("folder", _Words, nullable=False),
    Column("trace_id", _Words, nullable=False),  # "" where the folder is called so
    Column("span_id", Text, nullable=False),
    Column("service_id", Integer, nullable=False),
    Column("route_id", Integer, nullable=False),
    Column("error_id", Integer, nullable=False),
    Column("decision_id", Integer, nullable=False),
    Column("method", Text, nullable=False),
    Column("request_path", _Words, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("status_class", SmallInteger, nullable=False),
    Column("failed", Boolean, nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("duration_ns", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("modified_ns", BigInteger, nullable=False),
    Column("boot", Text, nullable=False),
    Column("unreadable", Text, nullable=False),
)
"""One row for each recording; `id` grows in the order in which they were found."""

tags = Table(
    "tags",
    metadata,
    Column("recording_id", _Key, ForeignKey("recordings.id"), primary_key=True),
    Column("name", _Words, primary_key=True),
    Column("value", _Words, nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

_OTHERS = ("status", "error_id", "route_id", "service_id", "failed", "duration_ns")


def _newest_first(first: str) -> Index:
    """Return an index by which a filter is read newest first.

    It holds the columns of the other filters too, so that they are looked at without the table.
    """
    order = [name for name in (first, "started_ns", "id") if name]
    beside = [name for name in _OTHERS if name != first]
    name = f"recordings_by_{first.removesuffix('_id') or 'time'}"
    return Index(name, *(recordings.c[one] for one in (*order, *beside)))


indexes: tuple[Index, ...] = (
    *map(_newest_first, ("", "service_id", "route_id", "status_class", "error_id", "failed")),
    Index(
        "recordings_by_decision",
        recordings.c.decision_id,
        recordings.c.started_ns,
        recordings.c.id,
    ),
    Index("recordings_by_duration", recordings.c.duration_ns),
    Index("recordings_by_size", recordings.c.size_bytes),
    Index("recordings_by_request_path", recordings.c.request_path),
    Index("recordings_by_trace", recordings.c.trace_id),
    Index("tags_by_value", tags.c.name, tags.c.value, tags.c.started_ns, tags.c.recording_id),
)
"""All of them but those of keys; they are made anew after many rows at once."""
