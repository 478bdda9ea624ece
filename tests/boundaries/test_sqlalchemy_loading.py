"""Eager loaders of SQLAlchemy's ORM run in one order, in each process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, create_engine, event
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
    subqueryload,
)
from sqlalchemy.pool import StaticPool

from retrace_core import installer
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

PARTS = [f"part{number}" for number in range(8)]


def bicycle() -> tuple[type[DeclarativeBase], Any]:
    """Return a base and a class with eight relationships that are loaded at once with it."""

    class Base(DeclarativeBase):
        pass

    members: dict[str, Any] = {
        "__tablename__": "bicycle",
        "id": mapped_column(primary_key=True),
        "__annotations__": {"id": Mapped[int]},
    }
    for name in PARTS:
        part = type(
            name.title(),
            (Base,),
            {
                "__tablename__": name,
                "__annotations__": {"id": Mapped[int], "bicycle_id": Mapped[int]},
                "id": mapped_column(primary_key=True),
                "bicycle_id": mapped_column(ForeignKey("bicycle.id")),
            },
        )
        members[name] = relationship(part, lazy="selectin")
    return Base, type("Bicycle", (Base,), members)


def test_eager_loaders_run_as_they_are_declared(recordings: Path) -> None:
    """Not as their addresses are; and the statements come back in that order."""
    installer.install()
    base, model = bicycle()
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    base.metadata.create_all(engine)
    asked: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(*given: Any) -> None:
        asked.append(given[2].rsplit("FROM ", 1)[-1].split()[0])

    with Session(engine) as session:
        session.add(model())
        session.commit()
    asked.clear()

    def view() -> str:
        with Session(engine) as session:
            return str(len(session.query(model).all()))

    app, recording = record_wsgi(recordings, view)
    assert asked == ["bicycle", *PARTS]
    assert_identical(recording, app)


def test_the_columns_of_a_key_come_in_the_order_of_its_condition() -> None:
    """Of eight, one order in 40,320 would be right by chance."""
    installer.install()
    keys = [f"key{number}" for number in range(8)]

    class Base(DeclarativeBase):
        pass

    columns = {"__annotations__": dict.fromkeys(keys, Mapped[int])}
    columns |= {key: mapped_column(primary_key=True) for key in keys}
    wheel = type("Wheel", (Base,), {"__tablename__": "wheel", **columns})
    spoke: Any = type(
        "Spoke",
        (Base,),
        {
            "__tablename__": "spoke",
            "__table_args__": (ForeignKeyConstraint(keys, [f"wheel.{key}" for key in keys]),),
            "__annotations__": {"id": Mapped[int], **columns["__annotations__"]},
            "id": mapped_column(primary_key=True),
            **{key: mapped_column() for key in keys},
        },
    )
    wheel.spokes = relationship(spoke)
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    asked: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(*given: Any) -> None:
        asked.append(given[2])

    with Session(engine) as session:
        session.add(wheel(**dict.fromkeys(keys, 1)))
        session.commit()
        asked.clear()
        session.query(wheel).options(subqueryload(wheel.spokes)).all()
    within = asked[-1].partition("FROM (SELECT ")[2].partition("FROM wheel")[0]
    listed = [one.strip().partition(" ")[0].removeprefix("wheel.") for one in within.split(",")]
    assert listed == keys
