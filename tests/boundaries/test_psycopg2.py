"""psycopg2: what the server said comes back with the server gone, through its own objects."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extras
import psycopg2.pool
import pytest
from psycopg2 import extensions, sql

from retrace_core import installer, replay
from tests.postgresql_server import postgresql_server
from tests.recorded import answered, assert_identical, record_wsgi
from tests.replay_report import replays

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgresql_server import PostgresqlServer


@pytest.fixture
def url(postgresql: PostgresqlServer) -> str:
    """Return the address of a fresh database with one table."""
    installer.install()
    found = postgresql.url(postgresql.new_database())
    connection = psycopg2.connect(found)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE t (id serial PRIMARY KEY, a text UNIQUE, n float DEFAULT random())"
        )
    connection.close()
    return found


def test_values_come_back_with_type_and_value(recordings: Path, url: str) -> None:
    """Casts of the driver's, its extras' and the application's own make the same objects."""

    def view() -> Any:
        connection = psycopg2.connect(url)
        psycopg2.extras.register_uuid(conn_or_curs=connection)
        psycopg2.extras.register_inet(conn_or_curs=connection)
        shout = extensions.new_type((1043,), "SHOUT", lambda value, _: value and value.upper())
        extensions.register_type(shout, connection)
        with connection, connection.cursor() as cursor:
            cursor.execute(
                """SELECT 1.50::numeric, now(), now()::timestamp, '2020-02-03'::date,
                '10:11:12.5'::time, '1 day 2 hours'::interval, gen_random_uuid(),
                '[1,2)'::int4range,
                '{"a": [1, null]}'::jsonb, ARRAY[1, NULL], ARRAY['x', NULL], '\\x00ff'::bytea,
                '10.1.2.0/24'::inet, true, 'é'::text, '', NULL, 'low'::varchar, 12::bigint"""
            )
            (row,) = cursor.fetchall()
            seen = [
                [type(v).__name__, bytes(v).hex() if isinstance(v, memoryview) else repr(v)]
                for v in row
            ]
            cursor.execute(
                "SELECT %s::jsonb, %s::int4range, %s, %s",
                [
                    psycopg2.extras.Json({"k": "ü"}),
                    psycopg2.extras.NumericRange(1, 5),
                    [1, 2],
                    psycopg2.Binary(b"\0\xff"),
                ],
            )
            seen += [repr(cursor.fetchone()[:3]), repr(cursor.description)]  # type: ignore[index]
        connection.close()
        return seen

    found = answered(recordings, view)
    assert {"Decimal", "datetime", "UUID", "NumericRange", "memoryview", "dict", "Inet"} <= {
        pair[0] for pair in found if isinstance(pair, list)
    }
    assert ["str", "'LOW'"] in found


def test_a_statement_may_name_the_servers_process(recordings: Path, url: str) -> None:
    """Which process serves a connection is as it was recorded."""

    def view() -> Any:
        connection, other = psycopg2.connect(url), psycopg2.connect(url)
        with other.cursor() as cursor:
            cursor.execute(f"SELECT pg_cancel_backend({connection.get_backend_pid()})")
            seen = [cursor.fetchone(), connection.get_backend_pid()]
        connection.close()
        other.close()
        return seen

    found = answered(recordings, view)
    assert found[0] == [True]
    assert found[1] > 10


@pytest.mark.parametrize(
    "factory",
    [psycopg2.extras.RealDictCursor, psycopg2.extras.NamedTupleCursor, psycopg2.extras.DictCursor],
)
def test_cursor_classes_are_the_applications(recordings: Path, url: str, factory: Any) -> None:
    """Rows come as the cursor's class makes them; classes and connections are what they were."""

    def view() -> Any:
        connection = psycopg2.connect(url, cursor_factory=factory)
        with connection, connection.cursor() as cursor:
            assert isinstance(cursor, factory)
            cursor.execute("INSERT INTO t (a) VALUES (%(a)s), ('z') RETURNING *", {"a": "x"})
            seen = [repr(cursor.fetchone()), repr(cursor.fetchall()), cursor.rowcount]
            seen += [cursor.statusmessage, cursor.lastrowid, type(connection).__name__]
            query = sql.SQL("SELECT {} FROM {}").format(sql.Identifier("n"), sql.Identifier("t"))
            cursor.execute(query)
            seen += [repr(row) for row in cursor]
        connection.close()
        return seen

    assert len(answered(recordings, view)) == 8


def test_errors_come_back_with_their_diagnostics(recordings: Path, url: str) -> None:
    """A violated constraint, a syntax error, a timeout, a deferred one at commit."""

    def view() -> Any:
        seen: list[Any] = []
        connection = psycopg2.connect(url)
        cursor = connection.cursor()
        cursor.execute(
            "CREATE TABLE late (a int UNIQUE DEFERRABLE INITIALLY DEFERRED);"
            "SET statement_timeout = 20"
        )
        connection.commit()
        for statement in (
            "INSERT INTO t (a) VALUES ('x'), ('x')",
            "SELEC 1",
            "SELECT pg_sleep(5)",
            "INSERT INTO late VALUES (1), (1)",
        ):
            try:
                cursor.execute(statement)
                connection.commit()
            except psycopg2.Error as error:
                diag = error.diag
                seen += [type(error).__name__, str(error), error.pgcode, error.pgerror]
                seen += [diag.severity, diag.message_detail, diag.constraint_name]
                seen += [connection.get_transaction_status(), connection.info.status]
                connection.rollback()
        try:
            cursor.execute("SELECT %s", ())
        except (IndexError, psycopg2.Error) as error:
            seen.append(str(error))
        connection.close()
        return seen

    found = answered(recordings, view)
    assert {"UniqueViolation", "SyntaxError", "QueryCanceled"} <= set(map(str, found))


def test_named_cursors_are_read_part_by_part(recordings: Path, url: str) -> None:
    """Server-side cursors: fetches, scrolling, iteration, a name that is generated."""

    def view() -> Any:
        connection = psycopg2.connect(url)
        seen: list[Any] = []
        with connection, connection.cursor("numbers", scrollable=True) as cursor:
            cursor.itersize = 2
            cursor.execute("SELECT n, random() FROM generate_series(1, 9) n")
            seen += [cursor.fetchone(), cursor.fetchmany(2), repr(cursor.description)]
            cursor.scroll(1)
            seen += list(cursor)
            cursor.scroll(0, "absolute")
            seen += [cursor.fetchall(), cursor.rownumber]
        connection.close()
        return seen

    assert len(answered(recordings, view)) == 10


def test_many_statements_and_copies(recordings: Path, url: str) -> None:
    """executemany, execute_values and _batch, callproc, COPY of all three kinds."""

    def view() -> Any:
        seen: list[Any] = []
        connection = psycopg2.connect(url)
        with connection, connection.cursor() as cursor:
            cursor.executemany("INSERT INTO t (a) VALUES (%s)", iter([("a",), ("b",), ("c",)]))
            seen.append(cursor.rowcount)
            seen += psycopg2.extras.execute_values(
                cursor,
                "INSERT INTO t (a) VALUES %s RETURNING n",
                [(str(n),) for n in range(7)],
                page_size=3,
                fetch=True,
            )
            psycopg2.extras.execute_batch(cursor, "UPDATE t SET n = %s", [(1,), (2,)])
            seen.append(cursor.rowcount)
            cursor.callproc("upper", ["low"])
            seen.append(cursor.fetchone())
            text, raw = io.StringIO(), io.BytesIO()
            cursor.copy_expert("COPY t TO STDOUT WITH CSV HEADER", text)
            seen += [text.getvalue(), cursor.rowcount]
            cursor.copy_to(raw, "t", columns=("a",))
            cursor.copy_from(io.StringIO("p\nq\n"), "t", columns=("a",))
            seen += [raw.getvalue().decode(), cursor.rowcount]
        try:
            with connection, connection.cursor() as cursor:
                cursor.copy_expert("COPY t (a) FROM STDIN", io.BytesIO(b"p\n"))
        except psycopg2.errors.UniqueViolation as error:
            seen.append([str(error), error.diag.context])
        connection.close()
        return seen

    found = answered(recordings, view)
    assert found[0] == 3
    assert "duplicate key" in found[-1][0]


def test_a_warm_connection_and_the_pool_leave_no_trace(recordings: Path, url: str) -> None:
    """A connection of the process's, within a transaction, is as good as a new one."""
    pools = [psycopg2.pool.ThreadedConnectionPool(1, 2, url)]

    def view() -> Any:
        connection = pools[0].getconn()
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT random()")
            row = cursor.fetchone()
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT random(); SELECT 2, current_setting('TimeZone')")
            seen = [row, cursor.fetchall(), connection.status, connection.encoding]
        pools[0].putconn(connection)
        return seen

    warm = pools[0].getconn()
    with warm.cursor() as cursor:
        cursor.execute("SELECT 1")
    pools[0].putconn(warm)
    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    pools.pop().closeall()

    def replayed() -> Any:
        pools[:] = [psycopg2.pool.ThreadedConnectionPool(1, 2, url)]
        try:
            return view()
        finally:
            pools[0].closeall()

    app.view_functions["view"] = replayed
    assert_identical(recording, app)


def test_a_server_that_goes_away_in_the_middle(recordings: Path, url: str) -> None:
    """The error of the statement, and a connection that is closed after it."""

    def view() -> Any:
        seen: list[Any] = []
        connection = psycopg2.connect(url)
        cursor = connection.cursor()
        for statement in ("SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 1"):
            try:
                cursor.execute(statement)
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                seen += [type(error).__name__, error.pgcode, connection.closed]
        return seen

    assert answered(recordings, view)[2] != 0


def test_no_server_fails_on_replay_as_it_did(recordings: Path) -> None:
    """A connection that is refused raises the same error, with the same text."""

    def view() -> Any:
        try:
            psycopg2.connect(host="127.0.0.1", port=1, dbname="shop", password="secret")
        except psycopg2.OperationalError as error:
            return [str(error)]
        return []

    assert "refused" in answered(recordings, view)[0]


@pytest.mark.parametrize("asks", ["poll", "lobject"])
def test_what_is_not_recorded_is_refused_on_replay(recordings: Path, url: str, asks: str) -> None:
    """Notifications and large objects: the recording tells, and replay invents nothing."""

    def view() -> Any:
        connection = psycopg2.connect(url)
        getattr(connection, asks)()
        connection.close()
        return []

    app, recording = record_wsgi(recordings, view)
    assert [event.kind for event in recording.lanes[0].events] == [f"psycopg2.{asks}"]
    result = replay(recording, app)
    assert not result.identical
    assert "LiveCallRefused" in result.summary()


def test_a_fresh_process_replays_without_the_server(recordings: Path, tmp_path: Path) -> None:
    """Recorded by one process; the server is stopped; another process replays it."""
    app = tmp_path / "shop.py"
    app.write_text(
        textwrap.dedent(
            """
            import os, flask, psycopg2
            from retrace_mw import RetraceMiddleware

            app = flask.Flask("shop")
            app.wsgi_app = RetraceMiddleware(app.wsgi_app)
            connection = psycopg2.connect(os.environ["DATABASE"])

            @app.get("/")
            def index():
                with connection, connection.cursor() as cursor:
                    cursor.execute("SELECT random(), now(), 1.50::numeric")
                    return repr(cursor.fetchall())

            if __name__ == "__main__":
                from retrace_core import writer
                answer = app.test_client().get("/", buffered=True)
                assert answer.status_code == 200
                writer.flush(10)
            """
        )
    )
    with postgresql_server() as server:
        environ = {**os.environ, "DATABASE": server.url("postgres")}
        here = {"cwd": tmp_path, "env": environ, "capture_output": True, "text": True}
        made = subprocess.run([sys.executable, "shop.py"], check=False, timeout=60, **here)  # type: ignore[call-overload]
        assert made.returncode == 0, made.stderr
    (path,) = recordings.glob("*/*/*.bin")
    replays(path, "--app", "shop:app", cwd=tmp_path, env=environ)
