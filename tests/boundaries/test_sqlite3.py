"""sqlite3, used directly: what a request saw of its database comes back without the file."""

from __future__ import annotations

import datetime
import itertools
import json
import random
import sqlite3
import tempfile
import time
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy
from sqlalchemy import orm

from retrace_core import installer, replay
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OPENED: list[sqlite3.Connection] = []


def answered_again(recordings: Path, file: Path, view: Callable[[], Any]) -> Any:
    """Record a view, delete its database, replay it; return what it answered, as JSON."""
    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    file.unlink()
    assert_identical(recording, app)
    return b"".join(recording.response.body)


def with_table(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return the connection, with an empty table."""
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE)")
    connection.commit()
    OPENED.append(connection)
    return connection


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    """Close what the views have opened, recorded and replayed."""
    yield
    while OPENED:
        OPENED.pop().close()


def test_a_cursor_made_at_start_up_is_recorded_in_a_request(
    recordings: Path, tmp_path: Path
) -> None:
    """Connections and cursors that live as long as the process are as good as new ones."""
    installer.install()
    connection = with_table(sqlite3.connect(tmp_path / "shop.db", check_same_thread=False))
    connection.execute("INSERT INTO t (a) VALUES (random()), (random())")
    cursor, running = connection.cursor(), connection.execute("SELECT * FROM t")

    def view() -> Any:
        cursor.execute("INSERT INTO t (a) VALUES (random())")
        return {
            "id": cursor.lastrowid,
            "rows": cursor.execute("SELECT * FROM t").fetchall(),
            "executed before, read now": [running.fetchone(), list(running)],
        }

    answered_again(recordings, tmp_path / "shop.db", view)


def test_returning_counts_its_rows_as_they_are_read(recordings: Path, tmp_path: Path) -> None:
    """The row count of a statement with RETURNING is known after its last row."""
    file = tmp_path / "shop.db"

    def view() -> Any:
        connection = with_table(sqlite3.connect(file))
        cursor = connection.execute("INSERT INTO t (a) VALUES (random()), (2) RETURNING id, a")
        before, rows = cursor.rowcount, cursor.fetchall()
        return [before, rows, cursor.rowcount, cursor.lastrowid, connection.total_changes]

    assert answered_again(recordings, file, view).startswith(b"[0,")


def test_transactions_show_their_state(recordings: Path, tmp_path: Path) -> None:
    """Isolation levels, autocommit, savepoints, a failed commit, and a closed connection."""
    file = tmp_path / "shop.db"

    def view() -> Any:
        seen: list[Any] = []
        connection = with_table(sqlite3.connect(file, isolation_level="IMMEDIATE"))
        for statement in ("INSERT INTO t (a) VALUES (1)", "SAVEPOINT s", "ROLLBACK TO s"):
            connection.execute(statement)
            seen.append(connection.in_transaction)
        connection.isolation_level = None  # commits
        seen += [connection.isolation_level, connection.in_transaction, connection.total_changes]
        if hasattr(connection, "autocommit"):
            connection.autocommit = False
            seen += [connection.autocommit, connection.in_transaction]
        try:
            with connection:
                connection.execute("INSERT INTO t (a) VALUES (1)")
        except sqlite3.IntegrityError as error:
            seen += [str(error), error.sqlite_errorname, connection.in_transaction]
        connection.close()
        try:
            seen.append(connection.in_transaction)
        except sqlite3.ProgrammingError as error:
            seen.append(str(error))
        return seen

    assert b"closed database" in answered_again(recordings, file, view)


def test_classes_of_the_applications_own_keep_their_methods(
    recordings: Path, tmp_path: Path
) -> None:
    """A connection and a cursor class of the application run as written, on replay too."""
    file = tmp_path / "shop.db"

    class Listing(sqlite3.Cursor):
        last = ""

        def execute(self, *args: Any) -> Listing:
            self.last = args[0]
            super().execute(*args)
            return self

        def fetchone(self) -> Any:
            return list(super().fetchone())

    class Logging(sqlite3.Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.log: list[str] = []
            self.execute("PRAGMA foreign_keys = ON")

        def execute(self, *args: Any) -> sqlite3.Cursor:
            self.log.append(args[0])
            return super().execute(*args)

        def cursor(self) -> Any:  # type: ignore[override]
            return super().cursor(Listing)

    def view() -> Any:
        connection: Any = with_table(sqlite3.connect(file, factory=Logging))
        connection.execute("INSERT INTO t (a) VALUES (random())")
        cursor = connection.cursor()
        row = cursor.execute("SELECT * FROM t").fetchone()
        return [row, cursor.last, connection.log, isinstance(cursor, Listing)]

    assert b"PRAGMA" in answered_again(recordings, file, view)


class Ledger(sqlite3.Connection):
    """A connection of the application's own, defined before anything is hooked."""


@pytest.mark.parametrize("of", ["driver", "application", "application, hooked"])
def test_a_connection_may_be_made_by_its_class(recordings: Path, tmp_path: Path, of: str) -> None:
    """Web2py opens its databases so; any connection is one of the driver's class."""
    file = tmp_path / "shop.db"
    installer.install()
    Own: Any = type("Own", (sqlite3.Connection,), {})  # noqa: N806
    made: Any = {"driver": sqlite3.Connection, "application": Own}.get(of)

    def view() -> str:
        connection = made(file, timeout=5) if made else sqlite3.connect(file, factory=Ledger)
        with_table(connection).execute("INSERT INTO t (a) VALUES (random())")
        connection.commit()
        (drawn,) = connection.execute("SELECT a FROM t").fetchone()
        return json.dumps([drawn, isinstance(connection, sqlite3.Connection)])

    assert json.loads(answered_again(recordings, file, view))[1] is True


def test_a_class_may_name_the_class_below_it(recordings: Path, tmp_path: Path) -> None:
    """Trac's cursors call `sqlite3.Cursor.execute` and fetch at once."""
    installer.install()

    class Formatting(sqlite3.Cursor):
        def execute(self, sql: str, args: Any = ()) -> Any:
            return sqlite3.Cursor.execute(self, sql % (("?",) * len(args)), args)

    class Eager(Formatting):
        def execute(self, sql: str, args: Any = ()) -> Any:
            Formatting.execute(self, sql, args)
            self.rows = Formatting.fetchall(self)
            return self

        def fetchall(self) -> list[Any]:
            return self.rows

    def view() -> Any:
        connection = with_table(sqlite3.connect(tmp_path / "shop.db"))
        cursor = connection.cursor(Eager)
        cursor.execute("INSERT INTO t (a) VALUES (%s)", (3,))
        found = cursor.execute("SELECT a, random() FROM t WHERE a = %s", (3,)).fetchall()
        return [isinstance(cursor, sqlite3.Cursor), found]

    answered_again(recordings, tmp_path / "shop.db", view)


def test_rows_that_a_generator_gave_before_it_failed_are_kept(
    recordings: Path, tmp_path: Path
) -> None:
    """`executemany` works off a generator, draws of its own and all, up to its error."""
    file = tmp_path / "shop.db"

    def rows() -> Iterator[tuple[float]]:
        yield (random.random(),)
        raise KeyError("no more")

    def view() -> Any:
        connection = with_table(sqlite3.connect(file))
        try:
            connection.executemany("INSERT INTO t (a) VALUES (?)", rows())
        except KeyError as error:
            return [repr(error), connection.execute("SELECT count(*), max(a) FROM t").fetchone()]
        return []

    assert b"no more" in answered_again(recordings, file, view)


def test_rows_know_their_columns(recordings: Path, tmp_path: Path) -> None:
    """`sqlite3.Row` is made anew, whatever limits and callbacks the connection has."""
    file = tmp_path / "shop.db"

    def view() -> Any:
        connection = with_table(sqlite3.connect(file))
        connection.row_factory = lambda cursor, row: dict(sqlite3.Row(cursor, row))
        traced: list[str] = []
        connection.execute("SELECT 1 FROM sqlite_master").fetchall()
        connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 40)
        cursor = connection.execute('SELECT random() AS "a ""b""", 2 AS c')
        connection.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)
        return [cursor.fetchall(), cursor.connection is connection, traced]

    answered_again(recordings, file, view)


def test_defaults_of_sqlalchemy_columns_are_the_requests(recordings: Path, tmp_path: Path) -> None:
    """`default=datetime.now` is called by SQLAlchemy itself, on behalf of the request."""
    installer.install()
    file = tmp_path / "shop.db"
    table = sqlalchemy.Table(
        "t",
        sqlalchemy.MetaData(),
        sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True),
        sqlalchemy.Column("at", sqlalchemy.DateTime, default=datetime.datetime.now),
        sqlalchemy.Column("seconds", sqlalchemy.Float, default=time.time),
    )
    engine = sqlalchemy.create_engine(f"sqlite:///{file}")
    table.create(engine)

    def view() -> Any:
        with orm.Session(engine) as session:
            session.execute(table.insert())
            row = session.execute(sqlalchemy.select(table)).one()
            session.commit()
        return [row.id, str(row.at), row.seconds]

    answered_again(recordings, file, view)
    engine.dispose()


def test_a_savepoint_is_found_again_by_another_name(recordings: Path, tmp_path: Path) -> None:
    """Django names savepoints after the thread, which is another one on replay."""
    installer.install()
    file = tmp_path / "shop.db"
    with_table(sqlite3.connect(file))
    numbers = itertools.count(140)

    def view() -> Any:
        connection = sqlite3.connect(file, isolation_level=None)
        OPENED.append(connection)
        name = f"s{next(numbers)}_x1"
        connection.execute("BEGIN")
        connection.execute(f'SAVEPOINT "{name}"')
        connection.execute("INSERT INTO t (a) VALUES (?)", (1,))
        connection.execute(f'ROLLBACK TO SAVEPOINT "{name}"', ())
        connection.execute(f'RELEASE SAVEPOINT "{name}"')
        return {"rows": connection.execute("SELECT count(*) FROM t").fetchall()}

    answered_again(recordings, file, view)


def test_a_batch_is_the_same_in_another_order(recordings: Path, tmp_path: Path) -> None:
    """As SQLAlchemy's rows of a many-to-many relation are, which are in a set first."""
    file = tmp_path / "here.db"
    orders = itertools.cycle(([(1,), (2,), (3,)], [(3,), (1,), (2,)]))

    def view() -> Any:
        with_table(sqlite3.connect(file)).executemany("INSERT INTO t (a) VALUES (?)", next(orders))
        return "done"

    app, recording = record_wsgi(recordings, view)
    file.unlink()
    assert_identical(recording, app, times=1)


def test_another_batch_is_not_the_same(recordings: Path, tmp_path: Path) -> None:
    """A row more often than it was recorded is another batch."""
    file = tmp_path / "here.db"
    batches = itertools.cycle(([(1,), (2,), (2,)], [(1,), (1,), (2,)]))

    def view() -> Any:
        connection = with_table(sqlite3.connect(file))
        connection.execute("CREATE TABLE u (a)")
        connection.executemany("INSERT INTO u VALUES (?)", next(batches))
        return "done"

    app, recording = record_wsgi(recordings, view)
    file.unlink()
    assert replay(recording, app).divergence is not None


def _one_by_one(folder: Path, file: Path, statement: str, orders: list[list[int]]) -> Any:
    """Record a statement that is run once for each number, and replay it in another order."""
    numbers = iter(orders)

    def view() -> Any:
        connection = with_table(sqlite3.connect(file))
        rows = {one: connection.execute(statement, (one,)).fetchall() for one in next(numbers)}
        connection.execute("INSERT INTO t (a) VALUES (99)")
        return {str(one): rows[one] for one in sorted(rows)}

    app, recording = record_wsgi(folder, view)
    file.unlink()
    return replay(recording, app)


@pytest.mark.parametrize(
    "statement", ["INSERT INTO t (a) VALUES (?)", "SELECT a, ? FROM t WHERE a < 3"]
)
def test_runs_of_a_statement_are_the_same_in_another_order(
    recordings: Path, tmp_path: Path, statement: str
) -> None:
    """As a mapper runs it for each object of a set; each gets its own answer."""
    result = _one_by_one(recordings, tmp_path / "here.db", statement, [[1, 2, 3, 4], [3, 1, 4, 2]])
    assert result.identical, result.summary()
    assert any("another order" in note for note in result.notes)


def test_a_path_of_a_temporary_file_is_asked_as_it_was(recordings: Path, tmp_path: Path) -> None:
    """Its folder is another one on replay; as text or as bytes, it makes no difference."""

    def view() -> Any:
        connection = with_table(sqlite3.connect(tmp_path / "here.db"))
        with tempfile.NamedTemporaryFile() as file:
            said = json.dumps({"socket": file.name})
            connection.execute("INSERT INTO t (a) VALUES (?)", (said,))
            connection.execute("INSERT INTO t (a) VALUES (?)", (file.name.encode(),))
        return {}

    app, recording = record_wsgi(recordings, view)
    (tmp_path / "here.db").unlink()
    result = replay(recording, app)
    assert result.identical, result.summary()


@pytest.mark.parametrize("each", [False, True])
def test_a_commit_keeps_its_place_when_statements_change_theirs(
    recordings: Path, tmp_path: Path, *, each: bool
) -> None:
    """Whether one commit ends all of the statements or each has its own."""
    file = tmp_path / "here.db"
    orders = iter([(1, 2, 3), (3, 2, 1)])

    def view() -> Any:
        connection = with_table(sqlite3.connect(file))
        for number in next(orders):
            connection.execute("INSERT INTO t (a) VALUES (?)", (number,))
            if each:
                connection.commit()
        connection.commit()
        return "done"

    app, recording = record_wsgi(recordings, view)
    file.unlink()
    result = replay(recording, app)
    assert result.identical, result.summary()


def test_indexes_of_a_table_are_made_in_any_order(recordings: Path, tmp_path: Path) -> None:
    """SQLAlchemy has them in a set."""
    orders = iter([("a", "b", "c"), ("c", "a", "b")])

    def view() -> Any:
        connection = with_table(sqlite3.connect(tmp_path / "here.db"))
        for name in next(orders):
            connection.execute(f"CREATE INDEX {name} ON t (a)")
        connection.execute("INSERT INTO t (a) VALUES (99)")
        return {}

    app, recording = record_wsgi(recordings, view)
    (tmp_path / "here.db").unlink()
    result = replay(recording, app)
    assert result.identical, result.summary()


@pytest.mark.parametrize(
    ("statement", "orders"),
    [
        ("INSERT INTO t (a) VALUES (?)", [[1, 2, 3], [2, 1, 5]]),
        ("INSERT INTO t (a) VALUES (?)", [[1, 2, 3], [2, 2, 1]]),
        ("UPDATE t SET a = ?", [[1, 2, 3], [2, 1, 3]]),
    ],
    ids=["another", "twice", "updates"],
)
def test_other_runs_of_a_statement_are_not(
    recordings: Path, tmp_path: Path, statement: str, orders: list[list[int]]
) -> None:
    """One that was not recorded, one once more; and of two updates the last one counts."""
    result = _one_by_one(recordings, tmp_path / "here.db", statement, orders)
    assert result.divergence is not None
