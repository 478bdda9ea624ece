"""asyncpg: what the server said comes back with the server gone, through its own objects."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import FetchedValue

from retrace_core.boundary import mask
from tests.fresh import record_in_a_process, replay_by_name
from tests.postgresql_server import postgresql_server
from tests.recorded import answered_async, assert_identical, record_asgi

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgresql_server import PostgresqlServer


class Base(DeclarativeBase):
    """The tables that SQLAlchemy's tests use."""


class Thing(Base):
    """A row of the one table."""

    __tablename__ = "t"
    id: Mapped[int] = mapped_column(primary_key=True)
    a: Mapped[str]
    n: Mapped[float] = mapped_column(server_default=FetchedValue())


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

    found = answered_async(recordings, handler)
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
        await connection.executemany("INSERT INTO t (a) VALUES ($1)", ((str(n),) for n in range(9)))
        seen.append(await connection.fetchval("SELECT count(*) FROM t"))
        try:
            await connection.fetch("SELECT pg_sleep(5)", timeout=0.05)
        except TimeoutError:
            seen.append("timeout")
        seen.append([connection.is_in_transaction(), await connection.fetchval("SELECT random()")])
        await connection.close()
        seen.append(connection.is_closed())
        return seen

    found = answered_async(recordings, handler)
    assert "t_a_key" in found
    assert "timeout" in found


def test_prepared_statements_and_cursors(recordings: Path, url: str) -> None:
    """Prepared statements know their types; cursors go forward, and iterate in portions."""

    async def handler() -> Any:
        seen: list[Any] = []
        connection = await asyncpg.connect(url)
        statement = await connection.prepare(
            "SELECT $1::int + g AS s, random() FROM generate_series(1, 9) g"
        )
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

    assert answered_async(recordings, handler)[-2] == 3


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

    answered_async(recordings, handler, tasks=6)


def test_copy_in_and_out(recordings: Path, url: str) -> None:
    """What COPY writes comes back; what the application feeds is asked for again."""

    async def handler() -> Any:
        seen: list[Any] = []
        connection = await asyncpg.connect(url)

        async def lines() -> Any:
            for number in range(3):
                await asyncio.sleep(0)
                yield f"{number}\tx{number}\n".encode()

        seen.append(await connection.copy_to_table("t", source=lines(), columns=["id", "a"]))
        rows = [(number, f"y{number}") for number in range(10, 13)]
        seen.append(await connection.copy_records_to_table("t", records=rows, columns=["id", "a"]))
        try:
            await connection.copy_records_to_table("t", records=rows, columns=["id", "a"])
        except asyncpg.UniqueViolationError as error:
            seen.append([str(error), error.constraint_name])
        chunks: list[bytes] = []

        async def sink(chunk: bytes) -> None:
            chunks.append(chunk)

        seen.append(await connection.copy_from_query("SELECT a, n FROM t", output=sink))
        seen.append(b"".join(chunks).decode())
        await connection.close()
        return seen

    assert answered_async(recordings, handler)[:2] == ["COPY 3", "COPY 3"]


def test_codecs_of_the_applications_are_at_work(recordings: Path, url: str) -> None:
    """JSON, and an own type, as the application decodes them."""

    async def handler() -> Any:
        connection = await asyncpg.connect(url)
        await connection.set_type_codec(
            "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
        )
        await connection.set_type_codec(
            "mood", encoder=str.lower, decoder=str.upper, schema="public"
        )
        row = await connection.fetchrow("SELECT $1::jsonb AS j, $2::mood AS m", {"k": [1]}, "OK")
        assert row is not None
        await connection.close()
        return [row["j"], row["m"]]

    assert answered_async(recordings, handler) == [{"k": [1]}, "OK"]


def test_a_warm_connection_replays_on_a_cold_one(recordings: Path, url: str) -> None:
    """A statement that was sent and described before the request is described in it."""
    warm: list[Any] = []

    async def handler() -> Any:
        if not warm:
            pool = await asyncpg.create_pool(url, min_size=1, max_size=1)
            with mask():
                await pool.fetchrow("SELECT 'ok'::mood, $1::int + random()", 1)
            warm.append(pool)
        async with warm[-1].acquire() as connection:
            row = await connection.fetchrow("SELECT 'ok'::mood, $1::int + random()", 2)
        await warm.pop().close()
        return list(row)

    assert answered_async(recordings, handler)[0] == "ok"


def test_a_server_that_is_not_there(recordings: Path) -> None:
    """A refused connection is refused on replay."""

    async def handler() -> Any:
        try:
            await asyncpg.connect("postgresql://postgres:secret@127.0.0.1:1/nowhere")
        except OSError as error:
            return [type(error).__name__, str(error)]
        return []

    assert answered_async(recordings, handler)[0] == "ConnectionRefusedError"


def test_notifications_come_back_in_their_turn(recordings: Path, url: str) -> None:
    """A listener of a request is called as it was, with a clock and statements of its own."""

    async def handler() -> Any:
        heard: asyncio.Queue[Any] = asyncio.Queue()
        connection, other = await asyncpg.connect(url), await asyncpg.connect(url)
        asked = await asyncpg.connect(url)  # the other may still be at work when it is heard

        def listener(of: Any, pid: int, channel: str, payload: str) -> None:
            heard.put_nowait([of is connection, pid > 0, channel, payload, time.time()])

        async def asking(_of: Any, _pid: int, _channel: str, payload: str) -> None:
            heard.put_nowait([payload, await asked.fetchval("SELECT random()")])

        await connection.add_listener("news", listener)
        await connection.add_listener("more", asking)
        seen: list[Any] = []
        for said in ("one", "two"):
            await other.execute(f"NOTIFY news, '{said}'")
            seen.append(await heard.get())
        await connection.execute("NOTIFY news, 'of itself'")
        seen.append(await heard.get())
        await other.execute("NOTIFY more, 'three'")
        seen.append(await heard.get())
        await connection.remove_listener("news", listener)
        await connection.remove_listener("more", asking)
        await other.execute("NOTIFY news, 'unheard'")
        seen.append([heard.qsize(), connection._listeners == {}])
        for one in (connection, other, asked):
            await one.close()
        return seen

    seen = answered_async(recordings, handler)
    assert [one[:4] for one in seen[:3]] == [
        [True, True, "news", said] for said in ("one", "two", "of itself")
    ]
    assert seen[3][0] == "three"
    assert seen[4] == [0, True]


@pytest.mark.parametrize("pre_ping", [False, True])
def test_sqlalchemys_async_sessions(recordings: Path, url: str, pre_ping: bool) -> None:
    """ORM sessions on a pool that pings: flush, rollback to a savepoint, refresh, stream."""
    engines: list[Any] = []

    async def handler() -> Any:
        seen: list[Any] = []
        engine = create_async_engine(
            url.replace("postgresql", "postgresql+asyncpg"), pool_pre_ping=pre_ping
        )
        engines.append(engine)
        async with AsyncSession(engine) as session, session.begin():
            session.add_all([Thing(a="x"), Thing(a="y")])
            await session.flush()
            try:
                async with session.begin_nested():
                    session.add(Thing(a="x"))
                    await session.flush()
            except IntegrityError as error:
                seen.append(str(error.orig))
        for _ in range(2):
            async with AsyncSession(engine) as session:
                found = await session.scalars(select(Thing).order_by(Thing.id))
                seen.append([[thing.id, thing.a, thing.n] for thing in found])
                streamed = await session.stream(select(Thing.n).order_by(Thing.n))
                seen += [row.n async for row in streamed]
        await engine.dispose()
        return seen

    assert len(answered_async(recordings, handler)[1]) == 2


def test_a_statement_that_sqlalchemy_keeps_replays_on_a_cold_engine(
    recordings: Path, url: str
) -> None:
    """SQLAlchemy prepared it for an earlier request: here it is executed and nothing more."""
    warm: list[Any] = []

    async def ask(engine: Any) -> Any:
        async with engine.connect() as connection:
            asked = text("SELECT 'ok'::mood, CAST(:n AS int) + random()")
            first = (await connection.execute(asked, {"n": 2})).one()
            again = (await connection.execute(asked, {"n": 3})).one()
            streamed = await connection.stream(text("SELECT a FROM t WHERE a > :a"), {"a": ""})
            return [*first, *again, len([row async for row in streamed])]

    async def handler() -> Any:
        if not warm:
            warm.append(create_async_engine(url.replace("postgresql", "postgresql+asyncpg")))
            with mask():
                await ask(warm[0])
        found = await ask(warm[-1])
        await warm.pop().dispose()
        return found

    app, recording = record_asgi(recordings, handler)
    events = [getattr(event, "kind", "") for lane in recording.lanes for event in lane.events]
    assert "asyncpg.prepare" not in events
    for _ in range(2):
        warm.append(create_async_engine(url.replace("postgresql", "postgresql+asyncpg")))
        assert_identical(recording, app, times=1)


def test_a_statement_that_is_prepared_already_here(recordings: Path, url: str) -> None:
    """Each connection of the pool had prepared it, where a replay of less at once has but one."""
    engines: list[Any] = []

    def engine() -> Any:
        return create_async_engine(url.replace("postgresql", "postgresql+asyncpg"))

    async def handler() -> Any:
        found: list[Any] = []
        for one in engines:
            async with one.connect() as connection:
                row = await connection.execute(text("SELECT random() + :n"), {"n": len(found)})
                found.append(row.scalar_one())
        with mask():
            for one in engines:
                await one.dispose()
        return found

    engines += [engine(), engine()]
    app, recording = record_asgi(recordings, handler)
    kinds = [getattr(event, "kind", "") for lane in recording.lanes for event in lane.events]
    assert kinds.count("asyncpg.prepare") == 2
    engines[:] = [engine()] * 2
    assert_identical(recording, app, times=1)


APP = """
import os
import asyncpg
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from retrace_mw import RetraceMiddleware

url = os.environ["DATABASE_URL"]
pools = []
engine = create_async_engine(url.replace("postgresql", "postgresql+asyncpg"), pool_pre_ping=True)
app = FastAPI()


@app.get("/")
async def values():
    if not pools:
        pools.append(await asyncpg.create_pool(url, min_size=1, max_size=2))
    async with pools[0].acquire() as connection, connection.transaction():
        first = await connection.fetchval("SELECT random() + $1::int", 1)
    async with engine.connect() as connection:
        second = (await connection.execute(text("SELECT random(), 'ok'::mood"))).one()
    return [first, *second]


app.add_middleware(RetraceMiddleware)
"""
ASK = """
import asyncio
import httpx
from application import app, engine, pools

async def main():
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        await client.get("/")
    await pools[0].close()
    await engine.dispose()

asyncio.run(main())
"""


def test_in_a_fresh_process_with_the_server_stopped(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new process replays a pool's and SQLAlchemy's statements while no server runs."""
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    with postgresql_server() as server:
        url = server.url(server.new_database())
        monkeypatch.setenv("DATABASE_URL", url)

        async def prepare() -> None:
            connection = await asyncpg.connect(url)
            await connection.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
            await connection.close()

        asyncio.run(prepare())
        record_in_a_process(recordings, APP, ASK)
    assert replay_by_name(recordings) == 1
