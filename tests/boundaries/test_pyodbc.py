"""pyodbc: what the server said comes back with the server gone, in rows of its own."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pyodbc
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from retrace_core.recording import Event
from tests.mariadb_server import mariadb_server
from tests.postgresql_server import postgresql_server
from tests.recorded import assert_identical, record_wsgi
from tests.redaction.raw import raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.mariadb_server import MariadbServer
    from tests.postgresql_server import PostgresqlServer


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    """Return a server of this module's own, which is stopped before each replay."""
    with postgresql_server() as own:
        yield own


@pytest.fixture
def where(server: PostgresqlServer) -> str:
    """Return a connection string to a fresh database with one table."""
    if server.process is None:
        server.start()
    found = (
        f"DRIVER={{PostgreSQL Unicode}};SERVER={server.host};PORT={server.port};"
        f"DATABASE={server.new_database()};UID={server.user};PWD=secret"
    )
    with closing(pyodbc.connect(found, autocommit=True)) as connection:
        connection.execute(
            "CREATE TABLE t (id serial PRIMARY KEY, a varchar(9) UNIQUE, n float8 DEFAULT random())"
        )
    return found


@pytest.fixture
def answered(
    recordings: Path, server: PostgresqlServer, where: str
) -> Callable[[Callable[[str], Any]], list[Any]]:
    """Record a view, replay it identically with the server gone, and return its answer."""

    def run(view: Callable[[str], Any]) -> list[Any]:
        app, recording = record_wsgi(recordings, lambda: view(where))
        assert recording.response is not None
        assert recording.response.status == 200, recording.failure
        server.stop()
        assert_identical(recording, app)
        found: list[Any] = json.loads(b"".join(recording.response.body))
        return found

    return run


def test_values_and_rows(answered: Any) -> None:
    """Decimals, times, bytes, UUIDs and NULL; rows by place and by name, described."""

    def view(where: str) -> Any:
        with closing(pyodbc.connect(where)) as connection:
            cursor = connection.cursor()
            cursor.execute(
                "SELECT 1.50::numeric(9,2) AS price, now()::timestamp(3) AS at, current_date AS d,"
                " '\\x00ff'::bytea AS raw, NULL AS none, 'é' AS accent, random() AS luck,"
                " gen_random_uuid() AS one, ? AS given",
                "it's",
            )
            row = cursor.fetchone()
            return [
                repr(row),
                repr(row.price),
                repr(cursor.description),
                cursor.rowcount,
                isinstance(row, pyodbc.Row),
                repr(row.cursor_description[0]),
                repr(cursor.fetchone()),
                isinstance(cursor, pyodbc.Cursor) and isinstance(connection, pyodbc.Connection),
            ]

    seen = answered(view)
    assert "Decimal('1.50')" in seen[0]
    assert seen[4] is True
    assert seen[7] is True


def test_ways_to_fetch(answered: Any) -> None:
    """One by one, some, all, one value, by a loop, some of them left out."""

    def view(where: str) -> Any:
        with closing(pyodbc.connect(where)) as connection:
            cursor = connection.execute("SELECT n, random() FROM generate_series(1, 40) AS n")
            seen = [list(cursor.fetchone()), [list(row) for row in cursor.fetchmany(3)]]
            cursor.skip(5)
            seen += [cursor.fetchval(), [list(row) for row in cursor.fetchmany()]]
            seen += [[next(cursor)[1], [row[0] for row in cursor]], cursor.fetchall()]
            seen += [connection.execute("SELECT random() WHERE 1 = 0").fetchval()]
            return seen

    seen = answered(view)
    assert seen[0][0] == 1
    assert seen[2] == 10
    assert seen[-1] is None


def test_writes_and_transactions(answered: Any) -> None:
    """Rows that are written, by one statement and by many; a commit, and what is rolled back."""

    def view(where: str) -> Any:
        with closing(pyodbc.connect(where)) as connection:
            cursor = connection.cursor()
            cursor.execute("INSERT INTO t (a) VALUES (?), (?)", "one", "two")
            seen: list[Any] = [cursor.rowcount]
            cursor.executemany("INSERT INTO t (a) VALUES (?)", [("three",), ("four",)])
            connection.commit()
            with connection:
                connection.execute("DELETE FROM t WHERE a = ?", ["one"])
            cursor.execute("DELETE FROM t")
            cursor.rollback()
            connection.autocommit = True
            seen.append(connection.autocommit)
            rows = cursor.execute("SELECT a, n FROM t ORDER BY id").fetchall()
            return [*seen, [list(row) for row in rows]]

    seen = answered(view)
    assert seen[0] == 2
    assert [row[0] for row in seen[-1]] == ["two", "three", "four"]


def test_errors(answered: Any) -> None:
    """A statement that fails does so again, with its state; and so does connecting."""

    def view(where: str) -> Any:
        seen: list[Any] = []
        with closing(pyodbc.connect(where, autocommit=True)) as connection:
            connection.execute("INSERT INTO t (a) VALUES ('one')")
            for statement in ("INSERT INTO t (a) VALUES ('one')", "SELECT * FROM nothing"):
                with pytest.raises(pyodbc.Error) as caught:
                    connection.execute(statement)
                seen.append([type(caught.value).__name__, *caught.value.args])
        with pytest.raises(pyodbc.Error) as caught:
            pyodbc.connect(where.replace("DATABASE=", "DATABASE=no_"))
        return [*seen, [type(caught.value).__name__, str(caught.value.args[0])]]

    seen = answered(view)
    assert [one[0] for one in seen] == ["IntegrityError", "ProgrammingError", "OperationalError"]


def test_what_the_catalog_says(answered: Any) -> None:
    """Tables and columns are asked for like rows; what the driver says of itself is known."""

    def view(where: str) -> Any:
        with closing(pyodbc.connect(where)) as connection:
            cursor = connection.cursor()
            tables = [row.table_name for row in cursor.tables(tableType="TABLE", schema="public")]
            columns = [row.column_name for row in cursor.columns(table="t")]
            return [tables, columns, connection.getinfo(pyodbc.SQL_DBMS_NAME)]

    assert answered(view) == [["t"], ["id", "a", "n"], "PostgreSQL"]


def test_secret_columns(recordings: Path, answered: Any) -> None:
    """What columns of such a name hold, and what is compared with them, is masked."""

    def view(where: str) -> Any:
        with closing(pyodbc.connect(where)) as connection:
            one = connection.execute("SELECT 'shown' AS town, 'hidden-' || 1 AS password")
            two = connection.execute("SELECT 'shown-2' AS town, 'b' AS name")
            row = one.fetchone()
            same = connection.execute(
                "SELECT 1 FROM (SELECT 'hidden-1'::text AS password) AS t WHERE password = ?",
                row.password,
            ).fetchval()
            return [row.town, row.password, list(two.fetchone()), same]

    town, _, *rest = answered(view)
    assert (town, rest) == ("shown", [["shown-2", "b"], 1])
    assert b"hidden-1" not in raw(recordings)


def test_no_password_is_recorded(recordings: Path, where: str) -> None:
    """Where a connection leads is in the recording; who connects is not."""

    def view() -> Any:
        with closing(pyodbc.connect(where)) as connection:
            return connection.execute("SELECT random()").fetchval()

    _, recording = record_wsgi(recordings, view)
    keys = [str(one.key) for one in recording.lanes[0].events if isinstance(one, Event)]
    assert any("random" in key for key in keys)
    assert not any("secret" in key or "PWD" in key for key in keys)


@pytest.fixture(scope="module")
def other_server() -> Iterator[MariadbServer]:
    """Return a MariaDB of this module's own."""
    with mariadb_server() as own:
        yield own


def test_sqlalchemy(recordings: Path, other_server: MariadbServer) -> None:
    """An engine with a pool that looks whether its connections live; several results at once."""
    where = (
        f"DRIVER={{MariaDB Unicode}};SERVER={other_server.host};PORT={other_server.port};"
        f"DATABASE={other_server.new_database()};UID={other_server.user};PWD={other_server.password}"
    )
    url = URL.create("mysql+pyodbc", query={"odbc_connect": where})
    engine = create_engine(url, pool_pre_ping=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, n double)"))
    engine.dispose()  # what was opened before the hooks were is not recorded

    def view() -> Any:
        with engine.begin() as connection:
            made = connection.execute(text("INSERT INTO t (n) VALUES (rand())"))
            rows = connection.execute(text("SELECT id, n FROM t WHERE n < :most"), {"most": 2})
            return [made.rowcount, [list(row) for row in rows]]

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    other_server.stop()
    engine.dispose()
    assert_identical(recording, app)
