"""mysqlclient: what the server said comes back with the server gone, through its own objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import MySQLdb
import pytest
from MySQLdb.cursors import Cursor, DictCursor, SSCursor, SSDictCursor
from sqlalchemy import create_engine, text

from retrace_core.recording import Event
from tests.recorded import answered, assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mariadb_server import MariadbServer


@pytest.fixture
def options(mariadb: MariadbServer) -> dict[str, Any]:
    """Return what to connect with, to a fresh database with one table."""
    return mariadb.options(
        "(id int AUTO_INCREMENT PRIMARY KEY, a varchar(20) UNIQUE, n double DEFAULT rand())"
    )


def test_values_and_cursors(recordings: Path, options: dict[str, Any]) -> None:
    """Decimals, times, bytes and NULL; tuples, dicts, and rows one by one."""

    def view() -> Any:
        seen: list[Any] = []
        connection = MySQLdb.connect(**options)
        query = "SELECT 1.50, now(6), curdate(), x'00ff', NULL, 'é', rand(), uuid(), %s AS p"
        for kind in (Cursor, DictCursor, SSCursor, SSDictCursor):
            with connection.cursor(kind) as cursor:
                cursor.execute(query, ("it's",))
                seen += [repr(cursor.fetchone()), repr(cursor.description), cursor.rowcount]
        with connection.cursor(SSCursor) as cursor:
            cursor.execute("SELECT seq, rand() FROM seq_1_to_20")
            seen += [repr(cursor.fetchone()), repr(cursor.fetchmany(3))]
        with connection.cursor() as cursor:
            cursor.execute("SELECT connection_id() = %s", (connection.thread_id(),))
            seen.append(repr(cursor.fetchall()))
        connection.close()
        return seen

    assert "Decimal('1.50')" in answered(recordings, view)[0]


def test_results_without_a_cursor(recordings: Path, options: dict[str, Any]) -> None:
    """A query's own result: stored or read on, rows in parts, columns with their tables' names."""

    def view() -> Any:
        seen: list[Any] = []
        connection = MySQLdb.connect(**options)
        connection.query("INSERT INTO t (a) VALUES ('x'), ('y'), ('z')")
        seen.append([connection.affected_rows(), connection.insert_id(), connection.info()])
        assert connection.store_result() is None
        for read in (connection.store_result, connection.use_result):
            connection.query("SELECT a, n, a FROM t")
            result = read()
            seen += [result.num_fields(), repr(result.describe()), repr(result.field_flags())]
            seen += [repr(result.fetch_row(2, how)) for how in (2, 1, 0)]
            seen.append(result.num_rows())
        seen.append(connection.stat().partition(" ")[0])
        connection.close()
        return seen

    assert answered(recordings, view)[0] == [3, 1, "Records: 3  Duplicates: 0  Warnings: 0"]


def test_a_connection_that_an_earlier_request_opened(
    recordings: Path, options: dict[str, Any]
) -> None:
    """Nothing is recorded of opening it; a cold replay opens one to nowhere."""
    shared: list[Any] = [MySQLdb.connect(**options)]

    def view() -> Any:
        if not shared:
            shared.append(MySQLdb.connect(**options))
        with shared[0].cursor() as cursor:
            cursor.execute("SELECT rand()")
            return [*cursor.fetchone()]

    app, recording = record_wsgi(recordings, view)
    shared.clear()
    assert_identical(recording, app)
    assert [event.kind for event in recording.lanes[0].events if isinstance(event, Event)] == [
        "mysqlclient.query",
        "mysqlclient.store",
        "mysqlclient.fetch",
    ]


def test_transactions_errors_and_several_results(recordings: Path, options: dict[str, Any]) -> None:
    """Constraint and syntax errors, rollback, insert ids, several results, ping."""

    def view() -> Any:
        seen: list[Any] = []
        connection = MySQLdb.connect(**options)
        connection.ping()
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO t (a) VALUES ('x')")
            seen.append([cursor.lastrowid, cursor.rowcount, connection.insert_id()])
            connection.commit()
            for statement in ("INSERT INTO t (a) VALUES ('x')", "SELEC 1", "SELECT * FROM nowhere"):
                try:
                    cursor.execute(statement)
                except MySQLdb.MySQLError as error:
                    seen.append([type(error).__name__, error.args])
            connection.begin()
            cursor.executemany("INSERT INTO t (a) VALUES (%s)", [("b",), ("c",)])
            seen.append(connection.get_autocommit())
            connection.rollback()
            cursor.execute("SELECT 1; SELECT rand(); SELECT a, n FROM t")
            seen.append(cursor.fetchall())
            while cursor.nextset():
                seen.append(cursor.fetchall())
            connection.autocommit(True)
            seen.append(repr(connection.show_warnings()))
            cursor.execute("SELECT CAST('no' AS int)")
            seen.append(repr(connection.show_warnings()))
        connection.set_character_set("utf8mb4")
        connection.select_db(options["database"])
        connection.close()
        try:
            connection.ping()
        except MySQLdb.Error as error:
            seen.append(str(error))
        return seen

    found = answered(recordings, view)
    assert ["IntegrityError", [1062, "Duplicate entry 'x' for key 'a'"]] in found


def test_a_connection_that_is_lost_or_refused(recordings: Path, options: dict[str, Any]) -> None:
    """A killed connection is lost on replay, a refused one refused."""

    def view() -> Any:
        seen: list[Any] = []
        try:
            MySQLdb.connect(**{**options, "port": 1})
        except MySQLdb.OperationalError as error:
            seen.append(error.args)
        connection = MySQLdb.connect(**options)
        other = MySQLdb.connect(**options)
        with other.cursor() as cursor:
            cursor.execute(f"KILL {connection.thread_id()}")
        for _ in range(2):
            try:
                connection.cursor().execute("SELECT 1")
            except MySQLdb.MySQLError as error:
                seen.append([type(error).__name__, repr(error.args), connection.open])
        other.close()
        return seen

    refused, *lost = answered(recordings, view)
    assert refused[0] == 2002
    assert [name for name, _, _ in lost] == ["OperationalError", "OperationalError"]


def test_sqlalchemy_with_a_pool_that_pings(recordings: Path, mariadb: MariadbServer) -> None:
    """SQLAlchemy's engine on mysql+mysqldb, twice through its pool."""
    url = mariadb.url(mariadb.new_database(), "mysql+mysqldb")

    def view() -> Any:
        engine = create_engine(url, pool_pre_ping=True)
        seen: list[Any] = []
        for _ in range(2):
            with engine.begin() as connection:
                seen.append(connection.execute(text("SELECT rand(), :a"), {"a": "b"}).one()[:])
        engine.dispose()
        return [list(row) for row in seen]

    assert len(answered(recordings, view)) == 2
