"""A warehouse on FastAPI with asyncpg, Redis and httpx: what `fidelity_services` records.

Its handlers do what such services do: read and write in transactions, keep answers in Redis for
a short while, gather several calls and take them as they complete, retry, time out, lock, limit
rates, stream, work on after the response, and fail.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import secrets
import time
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import asyncpg
import httpx
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from redis.asyncio import Redis
from redis.exceptions import LockError, ResponseError, WatchError

from retrace_mw import RetraceMiddleware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ITEMS = 200
SCHEMA = """
CREATE TABLE item (id int PRIMARY KEY, name text, cents numeric(10, 2), tags text[], facts jsonb,
    stock int CHECK (stock >= 0));
CREATE TABLE orders (id uuid PRIMARY KEY, number bigserial, email text, at timestamptz,
    cents numeric);
CREATE TABLE line (orders uuid REFERENCES orders, item int, count int, PRIMARY KEY (orders, item));
CREATE TABLE account (id int PRIMARY KEY, balance bigint CHECK (balance >= 0));
CREATE TABLE audit (id bigserial PRIMARY KEY, what text, at timestamptz DEFAULT clock_timestamp());
"""
TAKE = """
local left = tonumber(redis.call('GET', KEYS[1]) or ARGV[1])
if left <= 0 then return {0, redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[1], left - 1, 'PX', ARGV[2])
return {left - 1, 0}
"""
"""Takes a token of a bucket; returns how many are left, and how long to wait."""


async def fill(database: asyncpg.Connection[Any]) -> None:
    """Make the tables, and put some goods into them."""
    await database.execute(SCHEMA)
    rows = [
        (n, f"item {n}", n * 3, [f"tag{n % 7}", "all"], json.dumps({"weight": n / 8}), 40)
        for n in range(ITEMS)
    ]
    await database.copy_records_to_table("item", records=rows)
    await database.executemany(
        "INSERT INTO account VALUES ($1, $2)", [(n, 1000) for n in range(50)]
    )


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the clients that all requests share."""

    async def prepare(connection: asyncpg.Connection[Any]) -> None:
        await connection.set_type_codec(
            "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
        )

    app.state.pool = await asyncpg.create_pool(
        os.environ["WAREHOUSE_DATABASE"], min_size=4, max_size=20, init=prepare
    )
    app.state.redis = Redis.from_url(os.environ["WAREHOUSE_REDIS"], decode_responses=True)
    app.state.take = app.state.redis.register_script(TAKE)
    limits = httpx.Limits(max_connections=60)
    app.state.http = httpx.AsyncClient(
        base_url=os.environ["WAREHOUSE_ORIGIN"], timeout=20, limits=limits
    )
    async with app.state.http, app.state.redis, app.state.pool:
        yield


async def connection(request: Request) -> AsyncIterator[asyncpg.Connection[Any]]:
    """Give a handler a connection of its own."""
    async with request.app.state.pool.acquire() as one:
        yield one


Database = Annotated[Any, Depends(connection)]
api = FastAPI(title="warehouse", lifespan=lifespan)


class Order(BaseModel):
    """What is ordered."""

    email: str
    lines: dict[int, int]


async def item_of(state: Any, number: int) -> dict[str, Any]:
    """Return an item from the cache, or from the database and into the cache for a while."""
    kept = await state.redis.get(f"item:{number}")
    if kept is not None:
        return {**json.loads(kept), "cached": True}
    async with state.pool.acquire() as database:
        row = await database.fetchrow("SELECT * FROM item WHERE id = $1", number)
    if row is None:
        raise HTTPException(404, f"no item {number}")
    found = {**row, "cents": str(row["cents"])}
    await state.redis.set(f"item:{number}", json.dumps(found), px=random.randint(50, 400))
    return {**found, "cached": False}


@api.get("/items/{number}")
async def item(request: Request, number: int) -> dict[str, Any]:
    """Cache-aside with expiry."""
    return {**await item_of(request.app.state, number), "at": time.time()}


@api.post("/orders", status_code=201)
async def order(
    request: Request, asked: Order, database: Database, after: BackgroundTasks
) -> dict[str, Any]:
    """A transaction that fails when the stock runs out, or the same was ordered just now."""
    key = hashlib.sha256(asked.model_dump_json().encode()).hexdigest()
    number, now = uuid.uuid4(), datetime.now(UTC)
    if not await request.app.state.redis.set(f"order:{key}", str(number), nx=True, px=300):
        raise HTTPException(409, "ordered already: " + (await again(request, key)))
    try:
        async with database.transaction():
            await database.execute(
                "INSERT INTO orders (id, email, at) VALUES ($1, $2, $3)", number, asked.email, now
            )
            rows = [(number, sku, count) for sku, count in asked.lines.items()]
            await database.executemany("INSERT INTO line VALUES ($1, $2, $3)", rows)
            total = 0
            for sku, count in sorted(asked.lines.items()):
                cents = await database.fetchval(
                    "UPDATE item SET stock = stock - $2 WHERE id = $1 RETURNING cents", sku, count
                )
                if cents is None:
                    raise HTTPException(422, f"no item {sku}")
                total += cents * count
            serial = await database.fetchval(
                "UPDATE orders SET cents = $2 WHERE id = $1 RETURNING number", number, total
            )
    except asyncpg.CheckViolationError as error:
        raise HTTPException(409, f"sold out: {error.constraint_name}") from error
    after.add_task(tell, request.app.state, f"order {number}")
    return {"id": number, "number": serial, "cents": str(total), "at": now}


async def again(request: Request, key: str) -> str:
    """Return the number of the order that was there first."""
    return await request.app.state.redis.get(f"order:{key}") or "?"


async def tell(state: Any, what: str) -> None:
    """Work after the response: a row in the audit, and a call of another service."""
    async with state.pool.acquire() as database:
        await database.execute("INSERT INTO audit (what) VALUES ($1)", what)
    await state.http.post("/told", json={"what": what, "nonce": secrets.token_hex(4)})


@api.get("/dashboard")
async def dashboard(request: Request) -> dict[str, Any]:
    """Gather from everywhere at once, and take other calls in the order of their ends."""
    state = request.app.state

    async def counted(table: str) -> int:
        return await state.pool.fetchval(f"SELECT count(*) FROM {table}")  # type: ignore[no-any-return]

    async def visits() -> list[Any]:
        async with state.redis.pipeline(transaction=True) as pipe:
            pipe.incr("visits").lpush("last", f"{time.time_ns()}").ltrim("last", 0, 4)
            pipe.lrange("last", 0, -1)
            return await pipe.execute()  # type: ignore[no-any-return]

    async def quote(number: int) -> tuple[int, float]:
        answer = await state.http.get(f"/slow/{number}", params={"luck": random.randint(0, 99)})
        return number, answer.json()["n"]

    orders, lines, seen, goods = await asyncio.gather(
        counted("orders"),
        counted("line"),
        visits(),
        asyncio.gather(*(item_of(state, random.randrange(ITEMS)) for _ in range(3))),
    )
    order = [await done for done in asyncio.as_completed([quote(n) for n in range(3)])]
    return {"orders": orders, "lines": lines, "seen": seen, "goods": goods, "order": order}


@api.post("/transfer/{giver}/{taker}")
async def transfer(request: Request, giver: int, taker: int, database: Database) -> dict[str, Any]:
    """Rows locked in order, a savepoint that fails, and a serializable read."""
    amount = random.randint(1, 400)
    async with database.transaction():
        pair = sorted({giver, taker})
        before = await database.fetch(
            "SELECT * FROM account WHERE id = ANY($1) ORDER BY id FOR UPDATE", pair
        )
        try:
            async with database.transaction():
                for who, change in ((giver, -amount), (taker, amount)):
                    await database.execute(
                        "UPDATE account SET balance = balance + $2 WHERE id = $1", who, change
                    )
        except asyncpg.CheckViolationError as error:
            await database.execute("INSERT INTO audit (what) VALUES ($1)", str(error))
            return {"moved": 0, "why": str(error), "before": [dict(row) for row in before]}
    async with database.transaction(isolation="repeatable_read", readonly=True):
        total = await database.fetchval("SELECT sum(balance) FROM account")
    return {"moved": amount, "total": str(total), "before": [dict(row) for row in before]}


@api.get("/limited/{who}")
async def limited(request: Request, who: str) -> dict[str, Any]:
    """A Lua script that limits rates."""
    left, wait = await request.app.state.take(keys=[f"bucket:{who}"], args=[5, 200])
    if wait:
        raise HTTPException(429, "later", {"Retry-After": str(wait / 1000)})
    return {"left": left, "session": secrets.token_urlsafe(12)}


@api.get("/retried")
async def retried(request: Request) -> dict[str, Any]:
    """Calls that fail or take too long, with growing pauses between."""
    tried = []
    for attempt in range(4):
        path = random.choice(["/error", "/json", "/slow", "/hang", "/broken", "/gzip"])
        try:
            # Not `asyncio.timeout`: httpcore 1.0 loses connections that are cancelled while they
            # are made, until its pool is empty; with no recording too.
            timeout = httpx.Timeout(20, read=0.02 if path != "/json" else 10)
            answer = await request.app.state.http.get(path, timeout=timeout)
            answer.raise_for_status()
            return {"tried": tried, "n": answer.json()["n"]}
        except httpx.HTTPError as error:
            tried.append(f"{path}: {type(error).__name__}")
            await asyncio.sleep(0.001 * 2**attempt * random.random())
    raise HTTPException(502, f"given up: {tried}")


@api.get("/report")
async def report(request: Request) -> StreamingResponse:
    """A stream out of a server's cursor, with a time in each line."""

    async def lines() -> AsyncIterator[str]:
        async with request.app.state.pool.acquire() as database, database.transaction():
            asked = "SELECT id, tags, facts, random() FROM item WHERE id % $1 = 0 ORDER BY id"
            async for row in database.cursor(asked, random.randint(5, 20), prefetch=7):
                yield json.dumps([*row, time.time_ns()]) + "\n"

    return StreamingResponse(lines(), media_type="application/jsonl")


@api.post("/locked/{name}")
async def locked(request: Request, name: str) -> dict[str, Any]:
    """A lock in Redis that others hold, and a watched key that others change."""
    store = request.app.state.redis
    try:
        async with store.lock(f"lock:{name}", timeout=2, sleep=0.005, blocking_timeout=0.1):
            value = int(await store.get(f"sum:{name}") or 0) + random.randint(1, 9)
            await asyncio.sleep(0.002)
            await store.set(f"sum:{name}", value)
    except LockError as error:
        raise HTTPException(423, str(error)) from error
    async with store.pipeline() as pipe:
        for tries in range(5):
            try:
                await pipe.watch("shared")
                seen = int(await pipe.get("shared") or 0)
                pipe.multi()
                pipe.set("shared", seen + 1)
                await pipe.execute()
                return {"value": value, "seen": seen, "tries": tries}
            except WatchError:
                continue
    return {"value": value, "seen": None, "tries": 5}


@api.get("/grouped")
async def grouped(request: Request) -> dict[str, Any]:
    """A queue between tasks of a group, one of which may end them all."""
    state, queue = request.app.state, asyncio.Queue[Any]()

    async def produce(number: int) -> None:
        for _ in range(3):
            await queue.put((number, (await item_of(state, random.randrange(ITEMS + 4)))["name"]))
        await queue.put(None)

    got: list[Any] = []
    errors: list[str] = []
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(produce(number))
            while got.count(None) < 3:
                got.append(await queue.get())
    except* HTTPException as failed:
        errors = [str(one) for one in failed.exceptions]
    return {"got": got, "failed": errors}


@api.get("/threaded")
def threaded() -> dict[str, Any]:
    """A handler on a thread, with a client of its own."""
    with httpx.Client(base_url=os.environ["WAREHOUSE_ORIGIN"], timeout=20) as client:
        first = client.get("/chunked").text.splitlines()
        with client.stream("GET", "/gzip") as streamed:
            second = sum(len(chunk) for chunk in streamed.iter_bytes())
    return {"first": first, "second": second, "at": datetime.now().isoformat(), "id": uuid.uuid1()}


@api.get("/broken/{how}")
async def broken(request: Request, how: int, database: Database) -> dict[str, Any]:
    """Handlers fail in many ways; nobody catches this."""
    if how % 4 == 0:
        await database.fetch("SELECT 1 / $1::int", 0)
    if how % 4 == 1:
        return {"found": (await database.fetchrow("SELECT now() AS at WHERE false"))["at"]}
    if how % 4 == 2:
        await request.app.state.redis.set("text", "x")
        try:
            await request.app.state.redis.incr("text")
        except ResponseError as error:
            raise RuntimeError(f"at {time.time_ns()}") from error
    await database.execute("INSERT INTO account VALUES (1, 1)")
    return {}


app = RetraceMiddleware(api, service="warehouse")
