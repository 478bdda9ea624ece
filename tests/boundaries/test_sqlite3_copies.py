"""Copies of sqlite3 under other names: what a request saw comes back without the file."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import aiosqlite
import pytest
import sqlalchemy
from sqlalchemy import orm

from retrace_core import installer, replay
from tests.recorded import assert_identical, record_asgi, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("pysqlite3", "sqlean", "sqlcipher3")


@pytest.fixture(params=NAMES)
def driver(request: pytest.FixtureRequest) -> Any:
    """Return a copy, with its boundary in place."""
    installer.install()
    return importlib.import_module(request.param)


def test_statements_rows_and_errors(recordings: Path, tmp_path: Path, driver: Any) -> None:
    """What code uses of the driver is there on replay, of the copy's own classes."""
    file = tmp_path / "shop.db"

    def view() -> Any:
        seen: dict[str, Any] = {}
        connection = driver.connect(file, detect_types=driver.PARSE_DECLTYPES)
        try:
            connection.row_factory = driver.Row
            connection.create_function("double", 1, lambda value: value * 2)
            with connection:
                connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE)")
                connection.executemany("INSERT INTO t (a) VALUES (?)", [(1,), (2,)])
                cursor = connection.execute("INSERT INTO t (a) VALUES (random())")
            seen["id"] = cursor.lastrowid
            seen["version"] = connection.execute("SELECT sqlite_version()").fetchone()[0]
            row = connection.execute("SELECT double(a) AS twice, random() AS r FROM t").fetchone()
            seen["row"] = [dict(row), type(row) is driver.Row]
            try:
                connection.execute("INSERT INTO t (a) VALUES (1)")
            except driver.IntegrityError as error:
                seen["error"] = str(error)
        finally:
            connection.close()
        return seen

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    file.unlink()
    assert_identical(recording, app)
    assert not file.exists()


def test_through_sqlalchemy(recordings: Path, tmp_path: Path, driver: Any) -> None:
    """As its manual has one use a copy: `module=`."""
    file = tmp_path / "shop.db"
    table = sqlalchemy.Table(
        "t",
        sqlalchemy.MetaData(),
        sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True),
        sqlalchemy.Column("name", sqlalchemy.String),
    )
    engine = sqlalchemy.create_engine(f"sqlite:///{file}", module=driver.dbapi2)
    table.create(engine)

    def view() -> Any:
        with orm.Session(engine) as session:
            session.execute(table.insert().values(name=sqlalchemy.text("hex(randomblob(4))")))
            row = session.execute(sqlalchemy.select(table)).one()
            session.commit()
        return [row.id, row.name]

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    engine.dispose()
    file.unlink()
    assert_identical(recording, app)
    engine.dispose()


def test_in_the_thread_of_aiosqlite(recordings: Path, tmp_path: Path, driver: Any) -> None:
    """A connection of the copy's may be given to it."""
    file = tmp_path / "shop.db"

    async def handler() -> Any:
        made = aiosqlite.Connection(lambda: driver.connect(file), iter_chunk_size=64)
        async with made as connection:
            async with connection.execute("SELECT random(), sqlite_version()") as cursor:
                return list(await cursor.fetchall())

    app, recording = record_asgi(recordings, handler)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    file.unlink()
    assert_identical(recording, app)


def test_other_statements_than_were_recorded(recordings: Path, tmp_path: Path, driver: Any) -> None:
    """A replay that asks another thing says so, and opens no file."""
    file = tmp_path / "shop.db"
    statement = "SELECT random()"

    def view() -> Any:
        connection = driver.connect(file)
        try:
            return [connection.execute(statement).fetchone()[0]]
        finally:
            connection.close()

    app, recording = record_wsgi(recordings, view)
    file.unlink()
    statement = "SELECT 1 + random()"
    result = replay(recording, app)
    assert not result.identical
    assert result.divergence is not None
    assert not file.exists()


SWAPPED = """
import sys
from retrace_core import installer
installer.install()
__import__("pysqlite3")
sys.modules["sqlite3"] = sys.modules.pop("pysqlite3")
import sqlite3
assert sqlite3.connect.__wrapped__.__module__ != "sqlite3"
connection = sqlite3.connect(":memory:")
assert type(connection).__mro__[-2].__module__ == "pysqlite3.dbapi2", type(connection).__mro__
assert any(one.__name__ == "RecordedConnection" for one in type(connection).__mro__)
connection.close()
"""


def test_in_the_place_of_sqlite3() -> None:
    """As applications do whose vector store needs a newer SQLite."""
    subprocess.run([sys.executable, "-c", SWAPPED], check=True, timeout=60)
