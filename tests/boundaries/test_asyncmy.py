"""asyncmy: what the server said comes back with the server gone, through the driver in C."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncmy
import pytest
from asyncmy import cursors, errors
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from retrace_core.lanes import mask
from tests.recorded import answered_async

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mariadb_server import MariadbServer


@pytest.fixture
def options(mariadb: MariadbServer) -> dict[str, Any]:
    """Return what to connect with, to a fresh database with one table."""
    return mariadb.options("(id int PRIMARY KEY, n double DEFAULT rand())")


def test_cursors_transactions_and_errors(recordings: Path, options: dict[str, Any]) -> None:
    """Tuples, dicts, rows one by one; a violated key, a rollback, a syntax error, a ping."""

    async def handler() -> Any:
        seen: list[Any] = []
        connection = await asyncmy.connect(**options)
        await connection.ping()
        seen.append(connection.get_server_info())
        for kind in (cursors.Cursor, cursors.DictCursor, cursors.SSCursor):
            async with connection.cursor(kind) as cursor:
                await cursor.execute("SELECT 1.50, now(6), x'00ff', rand(), %s AS p", ("it's",))
                seen += [repr(await cursor.fetchone()), repr(cursor.description)]
        async with connection.cursor() as cursor:
            await connection.begin()
            await cursor.execute("INSERT INTO t (id) VALUES (1)")
            for statement in ("INSERT INTO t (id) VALUES (1)", "SELEC 1"):
                try:
                    await cursor.execute(statement)
                except errors.MySQLError as error:
                    seen.append([type(error).__name__, repr(error.args), error.sqlstate])
            await connection.rollback()
            await cursor.execute("SELECT count(*), rand() FROM t")
            seen.append(await cursor.fetchall())
        await connection.ensure_closed()
        try:
            await asyncmy.connect(**{**options, "port": 1})
        except errors.OperationalError as error:
            seen.append(repr(error.args))
        return seen

    assert answered_async(recordings, handler)[7][0] == "IntegrityError"


def test_rows_that_come_while_nobody_waits(recordings: Path, options: dict[str, Any]) -> None:
    """A long result is read row by row, with other waits between: each row is there again."""
    statement = "SELECT seq, repeat(md5(rand()), 40) FROM seq_1_to_3000"

    async def handler() -> Any:
        connection = await asyncmy.connect(**options)
        async with connection.cursor(cursors.SSCursor) as cursor:
            await cursor.execute(statement)
            found = []
            while (row := await cursor.fetchone()) is not None:
                found.append(row[1][:4])
                if len(found) % 200 == 1:
                    await asyncio.sleep(0.002)
        await connection.ensure_closed()
        return [len(found), "".join(found)[:400]]

    assert answered_async(recordings, handler)[0] == 3000


def test_several_results(recordings: Path, options: dict[str, Any]) -> None:
    """Results of several statements in one come back one after the other, with waits between."""

    async def handler() -> Any:
        connection = await asyncmy.connect(**options)
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT rand(); SELECT sleep(0.02), rand(); SELECT 3, rand()")
            seen = [await cursor.fetchall()]
            while await cursor.nextset():
                await asyncio.sleep(0.03)
                seen.append(await cursor.fetchall())
        connection.close()
        return seen

    assert len(answered_async(recordings, handler)) == 3


def test_prepared_statements(recordings: Path, options: dict[str, Any]) -> None:
    """A statement that an earlier request had prepared is there on a cold replay, too."""

    async def handler() -> Any:
        seen: list[Any] = []
        with mask():  # an earlier request
            connection = await asyncmy.connect(**options, stmt_cache_size=8)
            async with connection.cursor() as cursor:
                await cursor.execute("SELECT rand(), %s", (0,))
        async with connection.cursor() as cursor:
            for number in (1, 2):
                await cursor.execute("SELECT rand(), %s", (number,))
                seen.append(await cursor.fetchall())
            # Can't be prepared; the second result comes late, as the next statement is.
            await cursor.execute("SELECT 1; SELECT sleep(0.05), %s", (2,))
            seen.append(await cursor.fetchall())
            await cursor.executemany("INSERT INTO t (id) VALUES (%s)", [(3,), (4,)])
            seen.append(cursor.rowcount)
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT id, n FROM t WHERE id > %s", (0,))
            seen.append(await cursor.fetchall())
            await cursor.execute("DELETE FROM t WHERE id > %s", (0,))
            seen.append(cursor.rowcount)
        await connection.ensure_closed()
        return seen

    assert answered_async(recordings, handler)[3] == 2


def test_a_pool_used_by_several_tasks(recordings: Path, options: dict[str, Any]) -> None:
    """Tasks that wait for the connections of a small pool get their own answers."""

    async def handler() -> Any:
        order: list[int] = []
        async with asyncmy.create_pool(**options, minsize=1, maxsize=2) as pool:

            async def one(number: int) -> Any:
                async with pool.acquire() as connection, connection.cursor() as cursor:
                    await cursor.execute("SELECT rand(), sleep(%s)", (0.01 * ((number * 7) % 3),))
                    order.append(number)
                    return (await cursor.fetchone())[0]

            values = await asyncio.gather(*(one(number) for number in range(6)))
        return [values, order]

    answered_async(recordings, handler, tasks=6)


def test_a_statement_that_is_cancelled(recordings: Path, options: dict[str, Any]) -> None:
    """A timeout of the application's cancels on replay too."""

    async def handler() -> Any:
        connection = await asyncmy.connect(**options)
        try:
            async with asyncio.timeout(0.05), connection.cursor() as cursor:
                await cursor.execute("SELECT sleep(5)")
        except TimeoutError:
            return ["timeout", connection.connected]
        return []

    assert answered_async(recordings, handler) == ["timeout", False]


def test_a_server_that_goes_away(
    recordings: Path, mariadb: MariadbServer, options: dict[str, Any]
) -> None:
    """A connection that is killed raises the same error, and is as closed as it was."""

    async def handler() -> Any:
        connection = await asyncmy.connect(**options)
        other = await asyncmy.connect(**options)
        seen: list[Any] = []
        async with connection.cursor() as cursor, other.cursor() as killing:
            await killing.execute(f"KILL {connection.thread_id()}")
            for _ in range(2):
                try:
                    await cursor.execute("SELECT sleep(1)")
                except errors.MySQLError as error:
                    seen.append([type(error).__name__, error.args[0]])
        other.close()
        return seen

    assert answered_async(recordings, handler)[0][0] == "OperationalError"


def test_sqlalchemy_with_a_pool_that_pings(
    recordings: Path, mariadb: MariadbServer, options: dict[str, Any]
) -> None:
    """SQLAlchemy's async engine on mysql+asyncmy: through its pool, with an error, streamed."""
    url = mariadb.url(options["database"], "mysql+asyncmy")

    async def handler() -> Any:
        engine = create_async_engine(url, pool_pre_ping=True)
        seen: list[Any] = []
        for _ in range(2):
            try:
                async with engine.begin() as connection:
                    found = await connection.execute(text("SELECT rand(), :a"), {"a": "b"})
                    seen.append(list(found.one()))
                    async for row in await connection.stream(text("SELECT seq FROM seq_1_to_5")):
                        seen.append(row[0])
                    for _ in range(2):
                        await connection.execute(text("INSERT INTO t (id) VALUES (7)"))
            except IntegrityError as error:
                seen.append(str(error.orig))
        await engine.dispose()
        return seen

    assert len(answered_async(recordings, handler)) == 14
