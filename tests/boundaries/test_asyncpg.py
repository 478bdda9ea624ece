"""asyncpg: what the server said comes back with the server gone, through its own objects."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests.recorded import assert_identical, record_asgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.postgresql_server import PostgresqlServer


@pytest.fixture
def url(postgresql: PostgresqlServer) -> str:
    """Return the address of a fresh database with one table."""
    found = postgresql.url(postgresql.new_database())

    async def prepare() -> None:
        connection = await asyncpg.connect(found)
        await connection.execute(
            "CREATE TABLE t (id serial PRIMARY KEY, a text UNIQUE, n float DEFAULT random())"
        )
        await connection.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        await connection.execute("CREATE TYPE pair AS (x int, y text)")
        await connection.close()

    asyncio.run(prepare())
    return found


def answered(recordings: Path, handler: Callable[[], Any], tasks: int = 1) -> Any:
    """Record a FastAPI handler, replay it identically, and return what it answered."""
    app, recording = record_asgi(recordings, handler, tasks)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app)
    return json.loads(b"".join(recording.response.body))


TYPES = """
    SELECT 1.50::numeric, now(), now()::timestamp, '2020-02-03'::date, '10:11:12.5'::time,
        '1 day 2 hours'::interval, gen_random_uuid(), '{"a": [1, null]}'::jsonb,
        '[1, 2)'::int4range, ARRAY[[1, 2], [3, NULL]], ARRAY['x', NULL], '\\x00ff'::bytea,
        '10.1.2.0/24'::inet, true, 2::smallint, 'é'::text, NULL::text, 12::bigint,
        '(1,2)'::point, ROW(1, 'a'), 'ok'::mood, ROW(3, 'b')::pair, ARRAY['sad']::mood[],
        B'101'::varbit
"""


def test_values_come_back_with_type_and_value(recordings: Path, url: str) -> None:
    """Numerics, times, UUIDs, ranges, arrays, own enums and composites: the same objects."""

    async def handler() -> Any:
        connection = await asyncpg.connect(url)
        row = await connection.fetchrow(TYPES)
        assert row is not None
        sent = await connection.fetchrow(
            "SELECT $1::int[], $2::mood, $3::uuid, $4::int4range, $5::pair",
            [1, 2],
            "sad",
            row[6],
            row[8],
            (1, "z"),
        )
        await connection.close()
        return [[type(value).__name__, repr(value)] for value in (*row, *(sent or ()))]

    found = answered(recordings, handler)
    assert ["Decimal", "Decimal('1.50')"] in found
    assert ["str", "'ok'"] in found


def test_transactions_savepoints_errors(recordings: Path, url: str) -> None:
    """Nested transactions, and errors with their attributes, whatever savepoints are numbered."""

    async def handler() -> Any:
        seen: list[Any] = []
        connection = await asyncpg.connect(url)
        async with connection.transaction():
            seen.append(await connection.execute("INSERT INTO t (a) VALUES ($1)", "kept"))
            try:
                async with connection.transaction():
                    await connection.execute("INSERT INTO t (a) VALUES ($1)", "kept")
            except asyncpg.UniqueViolationError as error:
                seen += [str(error), error.sqlstate, error.constraint_name, error.detail]
            seen.append(connection.is_in_transaction())
        for statement in ("SELEC 1", "SELECT 1/0", "SELECT * FROM nowhere"):
            for run in (connection.execute, connection.fetch):
                try:
                    await run(statement)
                except asyncpg.PostgresError as error:
                    seen.append([type(error).__name__, str(error), error.as_dict()])
        try:
            await connection.fetch("SELECT $1::int", "no number")
        except asyncpg.DataError as error:
            seen.append(str(error))
        await connection.executemany("INSERT INTO t (a) VALUES ($1)", (((str(n),) for n in range(9))))
        seen.append(await connection.fetchval("SELECT count(*) FROM t"))
        try:
            await connection.fetch("SELECT pg_sleep(5)", timeout=0.05)
        except TimeoutError:
            seen.append("timeout")
        seen.append([connection.is_in_transaction(), await connection.fetchval("SELECT random()")])
        await connection.close()
        seen.append(connection.is_closed())
        return seen

    found = answered(recordings, handler)
    assert "t_a_key" in found
    assert "timeout" in found


def test_prepared_statements_and_cursors(recordings: Path, url: str) -> None:
    """Prepared statements know their types; cursors go forward, and iterate in portions."""

    async def handler() -> Any:
        seen: list[Any] = []
        connection = await asyncpg.connect(url)
        statement = await connection.prepare("SELECT $1::int + g AS s, random() FROM generate_series(1, 9) g")
        seen.append([repr(statement.get_parameters()), repr(statement.get_attributes())])
        seen.append(repr(await statement.fetch(3)))
        seen.append([await statement.fetchval(4), statement.get_statusmsg()])
        async with connection.transaction():
            async for record in statement.cursor(1, prefetch=4):
                seen.append(dict(record))
            cursor = await connection.cursor("SELECT g, random() FROM generate_series(1, 20) g")
            seen.append(repr(await cursor.fetch(2)))
            seen.append(await cursor.forward(3))
            seen.append(repr(await cursor.fetchrow()))
        await connection.close()
        return seen

    assert answered(recordings, handler)[-2] == 3


def test_a_pool_used_by_several_tasks(recordings: Path, url: str) -> None:
    """Tasks that wait for the connections of a small pool get their own answers."""

    async def handler() -> Any:
        order: list[Any] = []
        async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:

            async def one(number: int) -> float:
                async with pool.acquire() as connection, connection.transaction():
                    found = await connection.fetchval(
                        "SELECT random() FROM pg_sleep($1)", 0.01 * ((number * 7) % 3)
                    )
                order.append(number)
                return float(found)

            values = await asyncio.gather(*(one(number) for number in range(6)))
            values.append(await pool.fetchval("SELECT random()"))
        return [values, order]

    answered(recordings, handler, tasks=6)
