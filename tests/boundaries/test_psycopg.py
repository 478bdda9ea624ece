"""psycopg 3: what the server said comes back with the server gone, through its own objects."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import psycopg
import psycopg_pool
import pytest
from psycopg.rows import dict_row, namedtuple_row
from psycopg.types.composite import CompositeInfo, register_composite
from psycopg.types.json import Jsonb
from psycopg.types.range import Range

from retrace_core import replay
from tests.postgresql_server import postgresql_server
from tests.recorded import assert_identical, record_asgi, record_wsgi
from tests.replay_report import replays

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.postgresql_server import PostgresqlServer


@pytest.fixture
def url(postgresql: PostgresqlServer) -> str:
    """Return the address of a fresh database with one table."""
    found = postgresql.url(postgresql.new_database())
    with psycopg.connect(found) as connection:
        connection.execute(
            "CREATE TABLE t (id serial PRIMARY KEY, a text UNIQUE, n float DEFAULT random())"
        )
    return found


def answered(recordings: Path, view: Callable[[], Any]) -> list[Any]:
    """Record a Flask view, replay it identically, and return what it answered."""
    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app)
    found: list[Any] = json.loads(b"".join(recording.response.body))
    return found


def answered_async(recordings: Path, handler: Callable[[], Any], tasks: int = 1) -> Any:
    """Record a FastAPI handler, replay it identically, and return what it answered."""
    app, recording = record_asgi(recordings, handler, tasks)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app)
    return json.loads(b"".join(recording.response.body))


TYPES = """
    SELECT 1.50::numeric, now(), now()::timestamp, '2020-02-03'::date, '10:11:12.5'::time,
        '1 day 2 hours'::interval, gen_random_uuid(), '{"a": [1, null]}'::jsonb,
        '[1, 2)'::int4range,
        ARRAY[[1, 2], [3, NULL]], ARRAY['x', NULL], '\\x00ff'::bytea, '10.1.2.0/24'::inet,
        '10.1.2.0/24'::cidr, true, 'NaN'::float, 2::smallint, 'é'::text, NULL::text, 12::bigint,
        '{[1,3), [5,7)}'::int4multirange, '(1,2)'::point, ROW(1, 'a')
"""


@pytest.mark.parametrize("binary", [False, True])
def test_values_come_back_with_type_and_value(recordings: Path, url: str, binary: bool) -> None:
    """Numerics, times with zones, ranges, arrays, JSON, addresses and bytes: the same objects."""

    def view() -> Any:
        with psycopg.connect(url) as connection, connection.cursor(binary=binary) as cursor:
            row = cursor.execute(TYPES).fetchone()
            assert row is not None
            sent = cursor.execute(
                "SELECT %s, %s::int4range, %s::bytea, %s::int[]",
                [Jsonb({"k": 1}), Range(1, 5), b"\0\xff", [1, 2]],
            ).fetchone()
            assert sent is not None
            columns = [repr(column) for column in cursor.description or ()]
        return [[type(value).__name__, repr(value)] for value in (*row, *sent)] + columns

    found = answered(recordings, view)
    assert ["Decimal", "Decimal('1.50')"] in found
    assert ["bytes", "b'\\x00\\xff'"] in found


def test_rows_are_made_by_the_applications_factories_and_loaders(
    recordings: Path, url: str
) -> None:
    """Row factories, registered composite types and loaders of the application's are at work."""

    class Shouting(psycopg.adapt.Loader):
        def load(self, data: Any) -> str:
            return bytes(data).decode().upper()

    def view() -> Any:
        with psycopg.connect(url, row_factory=dict_row) as connection:
            connection.execute("CREATE TYPE pair AS (x int, y text)")
            info = CompositeInfo.fetch(connection, "pair")
            assert info is not None
            register_composite(info, connection)
            connection.adapters.register_loader("varchar", Shouting)
            cursor = connection.execute("SELECT '(1,a)'::pair AS p, 'low'::varchar AS v, random()")
            with connection.cursor(row_factory=namedtuple_row) as named:
                again = named.execute("SELECT random() AS r").fetchone()
            assert again is not None
            return [repr(cursor.fetchall()), again.r]

    assert "'LOW'" in answered(recordings, view)[0]


def test_a_statement_may_name_the_servers_process(recordings: Path, url: str) -> None:
    """Which process serves a connection, opened before the request, is as it was recorded."""
    connection = psycopg.connect(url, autocommit=True)

    def view() -> Any:
        with psycopg.connect(url) as other:
            asked = f"SELECT pg_cancel_backend({connection.info.backend_pid})"
            return [other.execute(asked).fetchone(), connection.info.backend_pid]

    with connection:
        assert answered(recordings, view) == [[True], connection.info.backend_pid]


def test_errors_come_back_with_their_diagnostics(recordings: Path, url: str) -> None:
    """A violated constraint, a syntax error, a timeout: class, SQLSTATE, diag, state."""

    def view() -> Any:
        seen: list[Any] = []
        with psycopg.connect(url) as connection:
            for statement in (
                "INSERT INTO t (a) VALUES ('x'), ('x')",
                "SELEC 1",
                "SET statement_timeout = 20; SELECT pg_sleep(5)",
                "SELECT 1/0 FROM t, missing",
            ):
                try:
                    connection.execute(statement)
                except psycopg.Error as error:
                    diag = error.diag
                    told = [diag.severity, diag.message_detail, diag.constraint_name]
                    state = connection.info.transaction_status.name
                    place = diag.statement_position
                    seen += [type(error).__name__, str(error), error.sqlstate, told, place, state]
                    connection.rollback()
        return seen

    found = answered(recordings, view)
    assert {"UniqueViolation", "SyntaxError", "QueryCanceled", "UndefinedTable"} <= {
        name for name in found if isinstance(name, str)
    }


@pytest.mark.parametrize("factory", [psycopg.ClientCursor, psycopg.RawCursor])
def test_other_cursors_ask_in_their_own_way(recordings: Path, url: str, factory: Any) -> None:
    """Parameters merged by the client, and PostgreSQL's own placeholders."""
    placeholder = "$1" if factory is psycopg.RawCursor else "%s"

    def view() -> Any:
        with psycopg.connect(url, cursor_factory=factory) as connection:
            query = f"INSERT INTO t (a) VALUES ({placeholder}) RETURNING n"
            return [connection.execute(query, [name]).fetchone() for name in ("x", "y")]  # type: ignore[arg-type]

    assert len(answered(recordings, view)) == 2


def test_transactions_savepoints_and_several_results(recordings: Path, url: str) -> None:
    """Nested transactions, autocommit, several result sets, scrolling, executemany."""

    def view() -> Any:
        seen: list[Any] = []
        with psycopg.connect(url, autocommit=True) as connection:
            with connection.transaction():
                connection.execute("INSERT INTO t (a) VALUES ('kept')")
                try:
                    with connection.transaction():
                        connection.execute("INSERT INTO t (a) VALUES ('kept')")
                except psycopg.errors.UniqueViolation as error:
                    seen.append(error.sqlstate)
            cursor = connection.execute("SELECT 1, random(); SELECT 2; UPDATE t SET n = 0")
            for result in cursor.results():
                seen.append([result.rowcount, result.statusmessage])
            cursor.executemany(
                "INSERT INTO t (a) VALUES (%s) RETURNING id, n", [["b"], ["c"]], returning=True
            )
            for _ in cursor.results():
                seen.append(cursor.fetchone())
            cursor.executemany("INSERT INTO t (a) VALUES (%s)", [[str(n)] for n in range(30)])
            seen.append(cursor.rowcount)
            cursor.execute("SELECT a, n FROM t ORDER BY id")
            cursor.scroll(2)
            seen.append([cursor.fetchone(), cursor.fetchmany(2), len(cursor.fetchall())])
            connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
            connection.autocommit = False
            seen.append(connection.execute("SHOW transaction_isolation").fetchone())
        return seen

    assert answered(recordings, view)[-1] == ["serializable"]


def test_statements_are_prepared_when_they_are_and_that_is_no_event(
    recordings: Path, postgresql: PostgresqlServer, url: str
) -> None:
    """A connection warm enough to prepare its statements replays on one that is cold."""
    connection = psycopg.connect(url)
    for number in range(20):
        connection.execute("SELECT %s::int, random()", [number])
    connections = [connection]

    def view() -> Any:
        used = connections[0]
        rows = [used.execute("SELECT %s::int, random()", [n]).fetchone() for n in range(3)]
        used.commit()
        rows += [used.execute("SELECT %s::int, random()", [3], prepare=True).fetchone()]
        try:
            used.execute("SELECT %s::int FROM nowhere", [1], prepare=True)
        except psycopg.errors.UndefinedTable as error:
            rows += [str(error)]  # type: ignore[list-item]
        used.rollback()
        return rows

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    connection.close()

    def replayed() -> Any:
        with psycopg.connect(url) as cold:
            connections[:] = [cold]
            return view()

    app.view_functions["view"] = replayed
    assert_identical(recording, app)


def test_a_transaction_that_began_before_the_request(recordings: Path, url: str) -> None:
    """A connection of the process's, left within a transaction, is as good as a new one."""
    connections = [psycopg.connect(url)]
    connections[0].execute("SELECT 1")

    def view() -> Any:
        row = connections[0].execute("SELECT random()").fetchone()
        return [row, connections[0].info.transaction_status.name]

    app, recording = record_wsgi(recordings, view)
    assert [event.kind for event in recording.lanes[0].events] == ["psycopg.execute"]
    connections[0].close()

    def fresh() -> Any:
        connections[:] = [psycopg.connect(url)]
        try:
            return view()
        finally:
            connections[0].close()

    app.view_functions["view"] = fresh
    assert_identical(recording, app)


def test_server_side_cursors_are_read_part_by_part(recordings: Path, url: str) -> None:
    """Named cursors: description, fetches, scrolling, iteration, closing."""

    def view() -> Any:
        with psycopg.connect(url) as connection:
            with connection.cursor("numbers", scrollable=True) as cursor:
                cursor.execute("SELECT n, random() FROM generate_series(1, 9) n")
                rows: list[Any] = [[column.name for column in cursor.description or ()]]
                rows += [cursor.fetchone(), cursor.fetchmany(2)]
                cursor.scroll(1)
                cursor.itersize = 2
                rows += list(cursor)
            return rows

    assert len(answered(recordings, view)) == 8


@pytest.mark.parametrize("size", [1, 4])
def test_streams_come_row_by_row(recordings: Path, url: str, size: int) -> None:
    """`stream()`, also in chunks, read to its end, left early, and failing half-way."""
    if size > 1 and not psycopg.capabilities.has_stream_chunked():
        pytest.skip("libpq is older than 17")

    def view() -> Any:
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            query = "SELECT n, random() FROM generate_series(1, 10) n"
            rows: list[Any] = list(cursor.stream(query, size=size))
            try:
                rows += cursor.stream("SELECT 1 / (3 - n) FROM generate_series(1, 9) n", size=size)
            except psycopg.errors.DivisionByZero as error:
                rows.append(str(error))
            connection.rollback()
            rows += connection.execute("SELECT random()").fetchall()
        return rows

    assert len(answered(recordings, view)) >= 12


def test_copy_reads_and_writes(recordings: Path, url: str) -> None:
    """COPY in both directions, by rows and by blocks, and refused by a constraint."""

    def view() -> Any:
        seen: list[Any] = []
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            with cursor.copy("COPY t (a) FROM STDIN") as copy:
                for name in ("x", "y"):
                    copy.write_row([name])
            seen.append([cursor.rowcount, cursor.statusmessage])
            with cursor.copy("COPY (SELECT a, n FROM t) TO STDOUT") as copy:
                copy.set_types(["text", "float8"])
                seen += [list(row) for row in copy.rows()]
            for form in ("text", "binary"):
                with cursor.copy(f"COPY t TO STDOUT (FORMAT {form})") as copy:  # type: ignore[arg-type]
                    seen.append(b"".join(copy).hex())
            connection.commit()
            try:
                with cursor.copy("COPY t (a) FROM STDIN") as copy:
                    copy.write("x\n")
            except psycopg.errors.UniqueViolation as error:
                seen.append([str(error), error.diag.context])
            connection.rollback()
        return seen

    found = answered(recordings, view)
    assert found[0] == [2, "COPY 2"]
    assert "duplicate key" in found[-1][0]


def test_pipelines_answer_where_they_did(recordings: Path, url: str) -> None:
    """Pipelines: results in order, an error and what it aborts, a sync in between."""

    def view() -> Any:
        seen: list[Any] = []
        with psycopg.connect(url, autocommit=True) as connection:
            with connection.pipeline() as pipeline:
                cursors = [connection.execute("SELECT %s::int, random()", [n]) for n in range(8)]
                pipeline.sync()
                seen += [cursor.fetchone() for cursor in cursors]
                with connection.transaction():
                    first = connection.execute("INSERT INTO t (a) VALUES ('x') RETURNING n")
                    seen.append(first.fetchone())
            try:
                with connection.pipeline() as pipeline:
                    connection.execute("INSERT INTO t (a) VALUES ('x')")
                    connection.execute("SELECT 1")
                    pipeline.sync()
            except psycopg.errors.UniqueViolation as error:
                seen.append(str(error))
            seen.append(connection.execute("SELECT count(*) FROM t").fetchone())
        return seen

    assert answered(recordings, view)[-1] == [1]


def test_async_connections_side_by_side(recordings: Path, url: str) -> None:
    """Tasks on connections of their own are woken in the order in which they were."""

    async def handler() -> Any:
        order: list[Any] = []

        async def one(number: int) -> None:
            async with await psycopg.AsyncConnection.connect(url) as connection:
                cursor = await connection.execute(
                    "SELECT %s::int, random(), pg_sleep(random() / 50)::text", [number]
                )
                order.append(await cursor.fetchone())

        await asyncio.gather(*(one(number) for number in range(6)))
        return order

    assert len(answered_async(recordings, handler)) == 6


def test_async_cursors_streams_copies_and_pipelines(recordings: Path, url: str) -> None:
    """The async halves of all of it."""

    async def handler() -> Any:
        seen: list[Any] = []
        async with await psycopg.AsyncConnection.connect(url) as connection:
            async with connection.cursor() as cursor:
                await cursor.executemany("INSERT INTO t (a) VALUES (%s)", [["a"], ["b"], ["c"]])
                seen.append(cursor.rowcount)
                seen += [row async for row in cursor.stream("SELECT a, n FROM t ORDER BY id")]
                async with cursor.copy("COPY t TO STDOUT") as copy:
                    seen += [bytes(data).decode() async for data in copy]
            async with connection.cursor("named") as named:
                await named.execute("SELECT random() FROM generate_series(1, 5)")
                seen += [await named.fetchone(), await named.fetchall()]
            async with connection.pipeline():
                cursors = [await connection.execute("SELECT random()") for _ in range(3)]
                seen += [await cursor.fetchone() for cursor in cursors]
            async with connection.transaction():
                seen.append(await (await connection.execute("SELECT random()")).fetchall())
        return seen

    assert answered_async(recordings, handler)[0] == 3


def test_a_statement_that_is_cancelled_in_flight_is_cancelled_again(
    recordings: Path, url: str
) -> None:
    """A timeout round a statement ends it on replay as it did, and the connection goes on."""

    async def handler() -> Any:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            try:
                async with asyncio.timeout(0.05):
                    await connection.execute("SELECT pg_sleep(20)")
            except TimeoutError:
                ended = connection.info.transaction_status.name
            await connection.rollback()
            row = await (await connection.execute("SELECT random()")).fetchone()
        return [ended, row]

    assert answered_async(recordings, handler)[0] == "INERROR"


def test_pools_lend_connections_that_are_no_events(recordings: Path, url: str) -> None:
    """Checking out, checking and giving back leave no trace; a pool that is exhausted does."""
    pools: list[psycopg_pool.ConnectionPool] = []

    def view() -> Any:
        with psycopg_pool.ConnectionPool(
            url, min_size=1, max_size=1, check=psycopg_pool.ConnectionPool.check_connection
        ) as pool:
            with pool.connection() as connection:
                row = connection.execute("SELECT random()").fetchone()
                try:
                    pool.getconn(timeout=0.05)
                except psycopg_pool.PoolTimeout as error:
                    said = str(error)
            with pool.connection() as connection:
                again = connection.execute("SELECT random()").fetchone()
        return [row, said, again]

    assert "couldn't get a connection" in answered(recordings, view)[1]
    assert not pools


def test_async_pools_do_too(recordings: Path, url: str) -> None:
    """Six tasks share two connections."""

    async def handler() -> Any:
        seen: list[Any] = []
        async with psycopg_pool.AsyncConnectionPool(url, min_size=2, open=False) as pool:

            async def one(number: int) -> None:
                async with pool.connection() as connection:
                    cursor = await connection.execute("SELECT %s::int, random()", [number])
                    seen.append(await cursor.fetchone())

            await asyncio.gather(*(one(number) for number in range(6)))
        return seen

    assert len(answered_async(recordings, handler)) == 6


def test_no_server_fails_on_replay_as_it_did(recordings: Path) -> None:
    """A connection that is refused raises the same error, with the same text."""

    def view() -> Any:
        try:
            psycopg.connect("host=127.0.0.1 port=1 dbname=shop password=secret")
        except psycopg.OperationalError as error:
            return [str(error)]
        return []

    assert "refused" in answered(recordings, view)[0]


def test_a_server_that_goes_away_in_the_middle(recordings: Path, url: str) -> None:
    """A backend that is terminated: the error, and a connection that is closed after it."""

    def view() -> Any:
        seen: list[Any] = []
        connection = psycopg.connect(url, autocommit=True)
        for statement in (
            "SELECT pg_terminate_backend(pg_backend_pid())",
            "SELECT 1",
        ):
            try:
                connection.execute(statement)
            except psycopg.OperationalError as error:
                seen += [type(error).__name__, error.sqlstate, connection.closed]
        connection.close()
        return seen

    assert answered(recordings, view)[0] == "AdminShutdown"


def test_notifications_are_refused_on_replay(recordings: Path, url: str) -> None:
    """What a server sends by itself is not recorded: replay says so, and invents nothing."""

    def view() -> Any:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("LISTEN news")
            connection.execute("NOTIFY news, 'hello'")
            return [note.payload for note in connection.notifies(timeout=1, stop_after=1)]

    app, recording = record_wsgi(recordings, view)
    assert "psycopg.notifies" in [event.kind for event in recording.lanes[0].events]
    result = replay(recording, app)
    assert not result.identical
    assert "notifications" in (result.summary() + "".join(result.notes))


@pytest.mark.parametrize(("recorded", "replayed"), [("binary", "python"), ("python", "binary")])
def test_a_fresh_process_replays_without_the_server(
    recordings: Path, tmp_path: Path, recorded: str, replayed: str
) -> None:
    """Recorded with one implementation of psycopg's; the server is stopped; replayed by another."""
    app = tmp_path / "shop.py"
    app.write_text(
        textwrap.dedent(
            """
            import os, flask, psycopg
            from psycopg_pool import ConnectionPool
            from retrace_mw import RetraceMiddleware

            app = flask.Flask("shop")
            app.wsgi_app = RetraceMiddleware(app.wsgi_app)
            pool = ConnectionPool(os.environ["DATABASE"], min_size=1, open=True)

            @app.get("/")
            def index():
                with pool.connection() as connection:
                    rows = connection.execute("SELECT random(), now(), 1.50::numeric").fetchall()
                return repr(rows)

            if __name__ == "__main__":
                from retrace_core import writer
                answer = app.test_client().get("/", buffered=True)
                assert answer.status_code == 200
                print(answer.text)
                writer.flush(10)
                pool.close()
            """
        )
    )
    with postgresql_server() as server:
        environ = {**os.environ, "DATABASE": server.url("postgres"), "PSYCOPG_IMPL": recorded}
        here = {"cwd": tmp_path, "env": environ, "capture_output": True, "text": True}
        made = subprocess.run([sys.executable, "shop.py"], check=False, timeout=60, **here)  # type: ignore[call-overload]
        assert made.returncode == 0, made.stderr
    (path,) = recordings.glob("*/*/*.bin")
    environ["PSYCOPG_IMPL"] = replayed
    replays(path, "--app", "shop:app", cwd=tmp_path, env=environ)
