"""aiomysql: what the server said comes back with the server gone, through its own objects."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiomysql
import pymysql
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from tests.recorded import answered_async

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mariadb_server import MariadbServer


@pytest.fixture
def options(mariadb: MariadbServer) -> dict[str, Any]:
    """Return what to connect with, to a fresh database with one table."""
    found = mariadb.options("(id int PRIMARY KEY, n double DEFAULT rand())")
    found["db"] = found.pop("database")
    return found


def test_cursors_transactions_and_errors(recordings: Path, options: dict[str, Any]) -> None:
    """Tuples, dicts, rows one by one; a violated key, a rollback, a syntax error, a ping."""

    async def handler() -> Any:
        seen: list[Any] = []
        connection = await aiomysql.connect(**options)
        await connection.ping()
        for kind in (aiomysql.Cursor, aiomysql.DictCursor, aiomysql.SSCursor):
            async with connection.cursor(kind) as cursor:
                await cursor.execute("SELECT 1.50, now(6), x'00ff', rand(), %s AS p", ("it's",))
                seen += [repr(await cursor.fetchone()), repr(cursor.description)]
        async with connection.cursor() as cursor:
            await connection.begin()
            await cursor.execute("INSERT INTO t (id) VALUES (1)")
            for statement in ("INSERT INTO t (id) VALUES (1)", "SELEC 1"):
                try:
                    await cursor.execute(statement)
                except pymysql.MySQLError as error:
                    seen.append([type(error).__name__, repr(error.args)])
            await connection.rollback()
            await cursor.execute("SELECT count(*), rand() FROM t")
            seen.append(await cursor.fetchall())
        await connection.ensure_closed()
        try:
            await aiomysql.connect(**{**options, "port": 1})
        except pymysql.err.OperationalError as error:
            seen.append(repr(error.args))
        return seen

    assert answered_async(recordings, handler)[6][0] == "IntegrityError"


def test_a_pool_used_by_several_tasks(recordings: Path, options: dict[str, Any]) -> None:
    """Tasks that wait for the connections of a small pool get their own answers."""

    async def handler() -> Any:
        order: list[int] = []
        async with aiomysql.create_pool(**options, minsize=1, maxsize=2) as pool:

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
        connection = await aiomysql.connect(**options)
        try:
            async with asyncio.timeout(0.05), connection.cursor() as cursor:
                await cursor.execute("SELECT sleep(5)")
        except TimeoutError:
            return ["timeout", connection.closed]
        return []

    assert answered_async(recordings, handler)[0] == "timeout"


def test_sqlalchemy_with_a_pool_that_pings(
    recordings: Path, mariadb: MariadbServer, options: dict[str, Any]
) -> None:
    """SQLAlchemy's async engine on mysql+aiomysql, twice through its pool, with an error."""
    url = mariadb.url(options["db"], "mysql+aiomysql")

    async def handler() -> Any:
        engine = create_async_engine(url, pool_pre_ping=True)
        seen: list[Any] = []
        for _ in range(2):
            try:
                async with engine.begin() as connection:
                    found = await connection.execute(text("SELECT rand(), :a"), {"a": "b"})
                    seen.append(list(found.one()))
                    for _ in range(2):
                        await connection.execute(text("INSERT INTO t (id) VALUES (7)"))
            except IntegrityError as error:
                seen.append(str(error.orig))
        await engine.dispose()
        return seen

    assert len(answered_async(recordings, handler)) == 4
