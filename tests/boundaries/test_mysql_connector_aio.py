"""MySQL Connector/Python for asyncio: what the server said comes back with the server gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import mysql.connector
import pytest
from mysql.connector import aio, errors
from mysql.connector.aio.pooling import MySQLConnectionPool

from tests.recorded import answered_async

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mariadb_server import MariadbServer


@pytest.fixture
def options(mariadb: MariadbServer) -> dict[str, Any]:
    """Return what to connect with, to a fresh database with one table."""
    found = mariadb.options("(id int PRIMARY KEY, n double DEFAULT rand())")
    found["ssl_disabled"] = True  # else it wants a certificate of the server's
    # Which system this is, it asks once in a process, before any request.
    mysql.connector.connect(**found, use_pure=True).close()
    return found


def test_cursors_transactions_and_errors(recordings: Path, options: dict[str, Any]) -> None:
    """Tuples, dicts, prepared and several results; a violated key, a rollback, a ping."""

    async def handler() -> Any:
        seen: list[Any] = []
        connection = await aio.connect(**options)
        await connection.ping()
        for kind in ({}, {"dictionary": True}, {"buffered": True}, {"prepared": True}):
            cursor = await connection.cursor(**kind)
            await cursor.execute("SELECT 1.50, now(6), x'00ff', rand(), %s AS p", ("it's",))
            seen += [repr(await cursor.fetchall()), repr(cursor.description)]
            await cursor.close()
        cursor = await connection.cursor()
        await connection.start_transaction()
        await cursor.execute("INSERT INTO t (id) VALUES (1)")
        for statement in ("INSERT INTO t (id) VALUES (1)", "SELEC 1"):
            try:
                await cursor.execute(statement)
            except mysql.connector.Error as error:
                seen.append([type(error).__name__, error.errno, error.sqlstate, str(error)])
        seen.append(connection.in_transaction)
        await connection.rollback()
        await cursor.execute("SELECT count(*), rand() FROM t; SELECT seq, rand() FROM seq_1_to_9")
        seen.append(await cursor.fetchall())
        while await cursor.nextset():
            seen += [await cursor.fetchone(), await cursor.fetchmany(2), await cursor.fetchall()]
        await cursor.executemany("INSERT INTO t (id) VALUES (%s)", [(3,), (4,)])
        seen += [cursor.rowcount, await connection.is_connected()]
        await connection.commit()
        await connection.set_autocommit(True)
        await connection.reset_session()
        await connection.close()
        try:
            await aio.connect(**{**options, "database": "nowhere"})
        except mysql.connector.Error as error:
            seen.append(repr(error))
        return seen

    assert answered_async(recordings, handler)[8][:3] == ["IntegrityError", 1062, "23000"]


def test_a_pool_of_five_used_by_several_tasks(recordings: Path, options: dict[str, Any]) -> None:
    """Tasks that take connections of a pool get their own answers, and end in their order."""

    async def handler() -> Any:
        order: list[Any] = []
        pool = MySQLConnectionPool(pool_name="five", pool_size=5, **options)
        await pool.initialize_pool()

        async def one(number: int) -> Any:
            values = []
            for _ in range(3):
                async with await pool.get_connection() as connection:
                    cursor = await connection.cursor()
                    await cursor.execute("SELECT rand(), sleep(%s)", (0.01 * ((number * 7) % 3),))
                    order.append(number)
                    values.append((await cursor.fetchall())[0][0])
                    await cursor.close()
            return values

        values = await asyncio.gather(*(one(number) for number in range(5)))
        held = [await pool.get_connection() for _ in range(5)]
        try:
            await pool.get_connection()
        except errors.PoolError as error:
            order.append(str(error))
        for connection in held:
            await connection.close()
        await pool.close_pool()
        return [values, order]

    assert "exhausted" in answered_async(recordings, handler, tasks=6)[1][-1]


def test_a_statement_that_is_cancelled_and_a_connection_that_is_killed(
    recordings: Path, options: dict[str, Any]
) -> None:
    """A timeout of the application's cancels on replay too, and what is lost is lost."""

    async def handler() -> Any:
        seen: list[Any] = []
        connection, other = await aio.connect(**options), await aio.connect(**options)
        cursor, killing = await connection.cursor(), await other.cursor()
        await killing.execute(f"KILL {connection.connection_id}")
        for _ in range(2):
            try:
                await cursor.execute("SELECT 1")
            except mysql.connector.Error as error:
                seen.append([type(error).__name__, error.errno])
        seen.append(await connection.is_connected())
        try:
            async with asyncio.timeout(0.05):
                await killing.execute("SELECT sleep(5)")
        except TimeoutError:
            seen.append("timeout")
        await connection.shutdown()
        await other.shutdown()
        return seen

    assert answered_async(recordings, handler)[2:] == [False, "timeout"]
