"""Tables of SQLAlchemy's are made in one way, in each process."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    create_engine,
    event,
)
from sqlalchemy.pool import StaticPool

from retrace_core import installer
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = [f"column{number}" for number in range(12)]


def test_indexes_are_made_as_they_are_declared(recordings: Path) -> None:
    """Not as their addresses are; so they are in a copy of the table."""
    installer.install()
    table = Table("bicycle", MetaData(), *(Column(name, Integer, index=True) for name in COLUMNS))
    Index("last", table.c.column0, table.c.column1)
    named = [f"ix_bicycle_{name}" for name in COLUMNS] + ["last"]
    assert [index.name for index in copy.copy(table.indexes)] == named
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    made: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(*given: Any) -> None:
        if "INDEX" in given[2]:
            made.append(given[2].split()[2])

    def view() -> str:
        made.clear()
        table.metadata.drop_all(engine)
        table.metadata.create_all(engine)
        return " ".join(made)

    app, recording = record_wsgi(recordings, view)
    assert made == named
    assert_identical(recording, app)


def test_constraints_are_copied_as_they_are_declared() -> None:
    """As a migration does that makes a table anew."""
    installer.install()
    limits = [CheckConstraint(f"{name} > 0", name=f"limit_{name}") for name in COLUMNS]
    table = Table("bicycle", MetaData(), *(Column(name, Integer) for name in COLUMNS), *limits)
    assert list(table.constraints) == [table.primary_key, *limits]
    copied = table.to_metadata(MetaData())
    assert [one.name for one in copied.constraints][1:] == [one.name for one in limits]
