"""APSW: rows, columns and errors come back with the database gone; tracers run on replay too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import apsw
import pytest

from retrace_core import replay
from retrace_core.lanes import mask
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retrace_core import Recording


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return the path of a database with two rows."""
    path = tmp_path / "shop.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
    connection.execute("INSERT INTO t (name) VALUES ('apple'), ('pear')")
    connection.close()
    return path


def answered(recordings: Path, view: Callable[[], Any], database: Path) -> Recording:
    """Record a view, replay it identically with the database gone; return the recording."""
    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    database.unlink()
    assert_identical(recording, app)
    return recording


def test_rows_in_all_ways(recordings: Path, database: Path) -> None:
    """One by one, all, with the least structure; columns, counts, a transaction, an error."""

    def view() -> Any:
        connection = apsw.Connection(str(database))
        seen: list[Any] = [connection.filename.endswith("shop.db"), connection.pragma("page_size")]
        seen.append(
            [[*row, random] for *row, random in connection.execute("SELECT *, random() FROM t")]
        )
        cursor = connection.execute("SELECT id FROM t WHERE name = :name", {"name": "pear"})
        seen += [cursor.description, cursor.fetchone(), cursor.fetchone()]
        for _ in range(2):
            try:
                seen.append(cursor.get_description())
            except apsw.ExecutionCompleteError as error:
                seen.append(str(error))
        for statements in (
            "SELECT random()",
            "SELECT id FROM t",
            "SELECT 1 WHERE 0",
            "SELECT 1, 2; SELECT 3",
        ):
            seen.append(connection.execute(statements).get)
        seen.append(connection.execute("SELECT random(), name FROM t").fetchall())
        with connection:
            connection.executemany("INSERT INTO t (name) VALUES (?)", iter([("fig",), ("kiwi",)]))
            seen += [
                connection.changes(),
                connection.last_insert_rowid(),
                connection.in_transaction,
            ]
        try:
            connection.execute("INSERT INTO t (name) VALUES (?)", ("fig",))
        except apsw.ConstraintError as error:
            seen += [str(error), error.extendedresult, connection.table_exists("main", "t")]
        connection.close()
        return repr(seen)

    recording = answered(recordings, view, database)
    assert recording.response is not None
    assert b"UNIQUE constraint failed" in b"".join(recording.response.body)


def test_several_statements_in_one(recordings: Path, database: Path) -> None:
    """Each row has the columns of its own statement, read one by one or all at once."""

    def view() -> Any:
        connection = apsw.Connection(str(database))
        statements = "SELECT random() AS r; SELECT 1 AS a, random() AS b; SELECT 'x' AS c WHERE 0"
        cursor = connection.execute(statements)
        seen = [(row, cursor.description) for row in cursor]
        seen.append(connection.execute(statements).fetchall())
        connection.close()
        return repr(seen)

    answered(recordings, view, database)


@pytest.mark.parametrize("of_connection", [False, True])
def test_row_tracers(recordings: Path, database: Path, of_connection: bool) -> None:
    """What a tracer of the application's makes of a row may be anything, or nothing."""

    class Row:
        def __init__(self, names: list[str], row: Any) -> None:
            self.fields = dict(zip(names, row, strict=True))

    def tracer(cursor: Any, row: Any) -> Any:
        names = [name for name, _ in cursor.get_description()]
        return None if row[0] == 1 else Row(names, row)

    def view() -> Any:
        connection = apsw.Connection(str(database))
        if of_connection:
            connection.row_trace = tracer
        seen = []
        for way in (list, lambda cursor: cursor.fetchall(), lambda cursor: [cursor.fetchone()]):
            cursor = connection.cursor()
            if not of_connection:
                cursor.row_trace = tracer
            cursor.execute("SELECT id, name, random() AS r FROM t; SELECT 2 AS other")
            seen += [row.fields for row in way(cursor)]
            try:
                cursor.close()
            except apsw.IncompleteExecutionError as error:
                seen.append(str(error))
                cursor.close(True)
        connection.close()
        return repr(seen)

    recording = answered(recordings, view, database)
    assert recording.response is not None
    assert b"'other': 2" in b"".join(recording.response.body)


def test_a_database_in_memory(recordings: Path, database: Path) -> None:
    """What an earlier request left in one is made again by what makes it, and recorded besides."""

    def view() -> Any:
        with mask():  # an earlier request
            connection = apsw.Connection(":memory:")
            connection.execute("CREATE TABLE kept (n); INSERT INTO kept VALUES (random())")
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n)")
        return repr(connection.execute("SELECT n FROM kept").fetchall())

    answered(recordings, view, database)


def test_what_is_not_covered_is_refused(recordings: Path, database: Path) -> None:
    """A value that is read in place is not recorded: replay says so."""

    def view() -> Any:
        connection = apsw.Connection(str(database))
        with connection.blob_open("main", "t", "name", 1, False) as blob:
            return blob.read()

    app, recording = record_wsgi(recordings, view)
    result = replay(recording, app)
    assert not result.identical
    assert "apsw.blob_open" in result.summary()
