"""MySQL Connector/Python, with its C extension and without: all comes back, the server gone."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mysql.connector
import pytest
from mysql.connector import errors, pooling
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from retrace_core.recording import Event
from tests.recorded import answered, assert_identical, record_wsgi

if TYPE_CHECKING:
    from tests.mariadb_server import MariadbServer

KINDS = [True, False] if mysql.connector.HAVE_CEXT else [True]


@pytest.fixture(params=KINDS, ids=lambda pure: "pure" if pure else "in_c")
def pure(request: pytest.FixtureRequest) -> bool:
    """Return whether the driver's part in C is left out."""
    return bool(request.param)


@pytest.fixture
def options(mariadb: MariadbServer, pure: bool) -> dict[str, Any]:
    """Return what to connect with, to a fresh database with one table."""
    table = "(id int AUTO_INCREMENT PRIMARY KEY, a varchar(20) UNIQUE, n double DEFAULT rand())"
    return {**mariadb.options(table), "use_pure": pure}


@pytest.mark.timeout(300)
@pytest.mark.skipif(mysql.connector.HAVE_CEXT, reason="it is loaded here")
def test_the_part_in_c_in_a_process_of_its_own() -> None:
    """It can't be loaded after an OpenSSL older than its own: a new process loads it first."""
    program = "import _mysql_connector, sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    here = Path(__file__)
    files = [
        here,
        here.with_name("test_mysql_connector_losses.py"),
        here.with_name("test_hook_points.py"),
        here.parents[1] / "redaction/test_rows.py",
    ]
    only = ["-q", "-k", "in_c or connection_cext", "-p", "no:cacheprovider"]
    command = [sys.executable, "-c", program, *map(str, files), *only]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_values_and_cursors(recordings: Path, options: dict[str, Any]) -> None:
    """Decimals, times, bytes, sets and NULL; tuples, dicts, raw, buffered, rows one by one."""
    query = (
        "SELECT 1.50, now(6), curdate(), CAST('12:30' AS time), x'00ff', NULL, 'é', rand(), "
        "uuid(), %s AS p"
    )
    cursors: tuple[dict[str, bool], ...] = (
        {},
        {"dictionary": True},
        {"raw": True},
        {"buffered": True},
        {"buffered": True, "dictionary": True},
        {"buffered": True, "raw": True},
    )

    def view() -> Any:
        seen: list[Any] = []
        connection = mysql.connector.connect(**options)
        for kind in cursors:
            with connection.cursor(**kind) as cursor:
                cursor.execute(query, ("it's",))
                seen += [repr(cursor.description), repr(cursor.fetchone()), repr(cursor.fetchone())]
                seen += [cursor.rowcount, cursor.statement]
        with connection.cursor() as cursor:
            cursor.execute("SELECT seq, rand() FROM seq_1_to_20")
            seen += [repr(cursor.fetchone()), repr(cursor.fetchmany(3)), repr(cursor.fetchall())]
            cursor.execute("SELECT seq FROM seq_1_to_3 WHERE seq > %(low)s", {"low": 1})
            seen += [list(cursor), cursor.rowcount]
            cursor.execute("SELECT connection_id() = %s", (connection.connection_id,))
            seen.append(repr(cursor.fetchall()))
        seen += [connection.in_transaction, connection.database, connection.autocommit]
        seen.append(repr(connection.server_version))
        connection.close()
        return seen

    assert "Decimal('1.50')" in answered(recordings, view)[1]


def test_prepared_statements(recordings: Path, options: dict[str, Any]) -> None:
    """A statement is prepared, and executed with other parameters; rows come in binary."""

    def view() -> Any:
        seen: list[Any] = []
        connection = mysql.connector.connect(**options)
        with connection.cursor(prepared=True) as cursor:
            statement = "SELECT %s, rand(), 1.50, now(6), x'00ff', NULL"
            for one in (1, "é", None):
                cursor.execute(statement, (one,))
                seen += [repr(cursor.fetchall()), repr(cursor.description)]
            cursor.executemany("INSERT INTO t (a) VALUES (%s)", [("a",), ("b",), ("c",)])
            seen += [cursor.rowcount, cursor.lastrowid]
            cursor.execute("SELECT a, n FROM t WHERE id > %s ORDER BY id", (0,))
            seen += [repr(cursor.fetchone()), repr(cursor.fetchmany(1)), repr(cursor.fetchall())]
            try:
                cursor.execute("INSERT INTO t (a) VALUES (%s)", ("a",))
            except errors.IntegrityError as error:
                seen += [error.errno, error.sqlstate, str(error)]
        with connection.cursor(prepared=True, dictionary=True) as cursor:
            cursor.execute("SELECT a, n FROM t WHERE a = %s", ("b",))
            seen.append(cursor.fetchall())
        connection.commit()
        connection.close()
        return seen

    assert "23000" in answered(recordings, view)


def test_transactions_errors_and_several_results(recordings: Path, options: dict[str, Any]) -> None:
    """Errors with number and state, rollback, insert ids, warnings, several results, procedures."""

    def view() -> Any:
        seen: list[Any] = []
        connection = mysql.connector.connect(**options)
        connection.ping()
        cursor = connection.cursor()
        cursor.execute("INSERT INTO t (a) VALUES ('x')")
        seen += [cursor.lastrowid, cursor.rowcount, connection.in_transaction]
        connection.commit()
        for statement in ("INSERT INTO t (a) VALUES ('x')", "SELEC 1", "SELECT * FROM nowhere"):
            try:
                cursor.execute(statement)
            except mysql.connector.Error as error:
                seen += [type(error).__name__, error.errno, error.sqlstate, error.msg, str(error)]
        connection.rollback()
        connection.start_transaction(isolation_level="READ COMMITTED")
        cursor.executemany("INSERT INTO t (a) VALUES (%s)", [("b",), ("c",)])
        seen += [cursor.rowcount, cursor.lastrowid, connection.in_transaction]
        connection.rollback()
        cursor.execute("SELECT count(*), rand() FROM t")
        seen.append(cursor.fetchall())
        cursor.execute("SELECT 1; SELECT rand(); UPDATE t SET a = 'y'; SELECT a, n FROM t")
        seen.append(cursor.fetchall() if cursor.with_rows else None)
        while cursor.nextset():
            seen += [cursor.fetchall() if cursor.with_rows else None, cursor.rowcount]
        connection.get_warnings = True
        cursor.execute("SELECT CAST('no' AS int)")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seen.append(cursor.fetchall())
        seen += [repr(cursor.warnings), cursor.warning_count]
        cursor.execute(
            "CREATE PROCEDURE p (IN a int, OUT b double) BEGIN SET b = a + rand(); "
            "SELECT a, rand(); SELECT 'x'; END"
        )
        seen.append(repr(cursor.callproc("p", (1, 0))))
        seen += [repr(result.fetchall()) for result in cursor._stored_results]
        connection.autocommit = True
        connection.database = options["database"]
        connection.cmd_change_user(options["user"], options["password"], options["database"])
        seen.append(connection.is_connected())
        connection.reset_session()
        unread = connection.cursor()
        unread.execute("SELECT seq FROM seq_1_to_3")
        try:
            connection.cursor()
        except errors.InternalError as error:
            seen.append(str(error))
        unread.fetchall()
        connection.close()
        seen.append(connection.is_connected())
        try:
            cursor.execute("SELECT 1")
        except mysql.connector.Error as error:
            seen += [type(error).__name__, error.errno]
        return seen

    found = answered(recordings, view)
    assert "1062 (23000): Duplicate entry 'x' for key 'a'" in found
    assert found[-3] is False


def test_what_else_a_connection_is_asked(
    recordings: Path, options: dict[str, Any], pure: bool
) -> None:
    """Compressed: sets of results, statistics, its time zone, another character set."""

    def view() -> Any:
        seen: list[Any] = []
        connection = mysql.connector.connect(**options, compress=True, ssl_disabled=True)
        cursor = connection.cursor()
        cursor.execute("SELECT rand(); SELECT 2; SELECT rand()")
        seen += [[statement, rows] for statement, rows in cursor.fetchsets()]
        if pure:
            for result in connection.cmd_query_iter("SELECT rand(); DO 1; SELECT 7"):
                seen.append(repr(connection.get_rows()) if "columns" in result else "done")
        seen.append(sorted(connection.cmd_statistics())[:2])
        connection.time_zone = "+02:00"
        seen += [connection.time_zone, connection.sql_mode]
        connection.set_charset_collation("latin1")
        cursor.execute("SELECT 'é', %s", ("é",))
        seen += cursor.fetchall()
        connection.close()
        return seen

    assert answered(recordings, view)[-1] == ["é", "é"]


def test_a_file_that_is_loaded(recordings: Path, options: dict[str, Any], tmp_path: Path) -> None:
    """It is not there on replay, and not needed."""
    file = tmp_path / "t.csv"
    file.write_text("1,a\n2,b\n")

    def view() -> Any:
        connection = mysql.connector.connect(**options, allow_local_infile=True)
        cursor = connection.cursor()
        cursor.execute(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE t FIELDS TERMINATED BY ','")
        connection.close()
        return [cursor.rowcount]

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.body == [b"[2]\n"], recording.failure
    file.unlink()
    assert_identical(recording, app)


def test_what_sets_a_connection_up_is_no_event(recordings: Path, options: dict[str, Any]) -> None:
    """Nothing is recorded of opening, pinging and closing; a cold replay opens one to nowhere."""
    shared: list[Any] = [mysql.connector.connect(**options)]

    def view() -> Any:
        if not shared:
            shared.append(mysql.connector.connect(**options))
        shared[0].ping(reconnect=True)
        with shared[0].cursor() as cursor:
            cursor.execute("SELECT rand()")
            return [*cursor.fetchone()]

    app, recording = record_wsgi(recordings, view)
    shared.clear()
    assert_identical(recording, app)
    kinds = [one.kind for one in recording.lanes[0].events if isinstance(one, Event)]
    assert {kind.partition(".")[2] for kind in kinds} <= {"ask", "read", "query", "fetch"}


def test_a_connection_that_is_left_to_the_collector(
    recordings: Path, options: dict[str, Any]
) -> None:
    """Nothing is recorded of its end."""

    def view() -> Any:
        connection = mysql.connector.connect(**options)
        cursor = connection.cursor()
        cursor.execute("SELECT rand()")
        found = cursor.fetchall()
        del cursor, connection
        gc.collect()
        return found

    assert len(answered(recordings, view)) == 1


def test_a_connection_that_is_lost_or_refused(recordings: Path, options: dict[str, Any]) -> None:
    """A killed connection is lost on replay and opened again, a refused one refused."""

    def view() -> Any:
        seen: list[Any] = []
        try:
            mysql.connector.connect(**{**options, "port": 1})
        except mysql.connector.Error as error:
            seen += [type(error).__name__, error.errno, str(error)]
        try:
            mysql.connector.connect(**{**options, "database": "nowhere"})
        except mysql.connector.Error as error:
            seen += [type(error).__name__, error.errno, error.sqlstate]
        connection = mysql.connector.connect(**options)
        other = mysql.connector.connect(**options)
        cursor = connection.cursor()
        other.cmd_process_kill(connection.connection_id)
        for _ in range(2):
            try:
                cursor.execute("SELECT 1")
            except mysql.connector.Error as error:
                seen += [type(error).__name__, error.errno]
        seen.append(connection.is_connected())
        connection.reconnect()
        cursor = connection.cursor()
        cursor.execute("SELECT rand()")
        seen += cursor.fetchone()
        connection.close()
        other.close()
        return seen

    found = answered(recordings, view)
    assert found[1] in (2002, 2003)
    assert found[-2] is False


def test_a_pool_of_five_used_by_threads(recordings: Path, options: dict[str, Any]) -> None:
    """Threads get their own answers; that the pool is exhausted comes back, too."""

    def view() -> Any:
        pool = pooling.MySQLConnectionPool(pool_name="five", pool_size=5, **options)
        seen: dict[int, Any] = {}
        order: list[Any] = []

        def work(number: int) -> None:
            for _ in range(3):
                with pool.get_connection() as connection, connection.cursor() as cursor:
                    cursor.execute("SELECT rand(), sleep(%s)", (0.005 * ((number * 3) % 4),))
                    seen[number] = cursor.fetchall()[0][0]
                    order.append(number)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        held = [pool.get_connection() for _ in range(5)]
        try:
            pool.get_connection()
        except errors.PoolError as error:
            order.append(str(error))
        for connection in held:
            connection.close()
        pool._remove_connections()
        return [sorted(seen.items()), order]

    found = answered(recordings, view)
    assert found[1][-1] == "Failed getting connection; pool exhausted"


def test_sqlalchemy_with_a_pool_that_pings(
    recordings: Path, mariadb: MariadbServer, options: dict[str, Any], pure: bool
) -> None:
    """SQLAlchemy's engine on mysql+mysqlconnector, twice through its pool."""
    url = mariadb.url(options["database"], "mysql+mysqlconnector") + f"?use_pure={int(pure)}"

    def view() -> Any:
        engine = create_engine(url, pool_pre_ping=True)
        seen: list[Any] = []
        for _ in range(2):
            with engine.begin() as connection:
                seen.append(connection.execute(text("SELECT rand(), :a"), {"a": "b"}).one()[:])
                connection.execute(
                    text("INSERT INTO t (a) VALUES ('one') ON DUPLICATE KEY UPDATE n = 1")
                )
        try:
            with engine.begin() as connection:
                connection.execute(text("INSERT INTO t (a) VALUES ('one')"))
        except IntegrityError as error:
            seen.append([str(error.orig)])
        engine.dispose()
        return [list(row) for row in seen]

    assert len(answered(recordings, view)) == 3
