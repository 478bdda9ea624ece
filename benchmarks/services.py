"""The cost of a recorded request that asks PostgreSQL and Redis, and of keeping loop steps.

`python -m benchmarks.services [--rounds N] [--requests N]` prints, as `benchmarks.requests` does,
CPU and latency of FastAPI with asyncpg and redis-py, real servers behind it: bare, not sampled,
recorded, and recorded without noting how far the loop had got between two answers. "/checkout"
asks one after the other; "/gathered" has eight tasks ask at once.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import asyncpg
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from redis.asyncio import Redis

from benchmarks.requests import print_table, serve
from benchmarks.rounds import Rounds, measure, option
from tests.postgresql_server import postgresql_server
from tests.redis_server import redis_server

VARIANTS = {"bare": "", "no-op": "", "not sampled": "0", "100 %": "1", "100 %, no steps": "1"}
"""Variant -> sample rate, "" where there is no middleware of ours."""
PATHS = {"/empty": 300, "/checkout": option("--requests", 100), "/gathered": 40}
"""What is asked for -> how often in a round."""


RATIOS = (("not sampled", "bare"), ("100 %", "not sampled"), ("100 %", "100 %, no steps"))


def ratio(rounds: Rounds, one: str, other: str) -> str:
    """Return what a variant takes over another: median of the rounds, and least over least."""
    pairs = list(zip(rounds[one], rounds[other], strict=True))
    median = statistics.median(first[0] / second[0] for first, second in pairs)
    least = min(first[0] for first, _ in pairs) / min(second[0] for _, second in pairs)
    return f"median {median:.2f}, least over least {least:.2f}"


def make_app() -> FastAPI:
    """Return an application whose clients are opened by the first request that needs them."""
    app = FastAPI(title="services")
    opened: list[Any] = []

    async def clients() -> tuple[asyncpg.Pool[Any], Redis]:
        if not opened:
            pool = await asyncpg.create_pool(os.environ["BENCH_POSTGRESQL"], min_size=8, max_size=8)
            await pool.execute(
                "CREATE TABLE IF NOT EXISTS sold (id uuid PRIMARY KEY, cents int, at timestamptz)"
            )
            opened[:] = pool, Redis.from_url(os.environ["BENCH_REDIS"])
        return opened[0], opened[1]

    @app.get("/empty")
    async def empty() -> JSONResponse:
        return JSONResponse({})

    @app.get("/checkout")
    async def checkout() -> JSONResponse:
        pool, store = await clients()
        number = uuid.uuid4()
        async with pool.acquire() as database, database.transaction():
            await database.execute("INSERT INTO sold VALUES ($1, $2, now())", number, 17)
            row = await database.fetchrow("SELECT * FROM sold WHERE id = $1", number)
            few = await database.fetch("SELECT n, 'row' || n FROM generate_series(1, 20) n")
        await store.set("last", str(number), ex=60)
        async with store.pipeline() as pipe:
            visits, last = await pipe.incr("visits").get("last").execute()
        body = {"id": str(number), "rows": len(few), "at": str(row["at"]), "last": str(last)}
        return JSONResponse({**body, "visits": visits, "took": time.time()})

    @app.get("/gathered")
    async def gathered() -> JSONResponse:
        pool, store = await clients()

        async def one(number: int) -> Any:
            await store.get("last")
            return await pool.fetchval("SELECT $1::int * 2", number)

        return JSONResponse(await asyncio.gather(*(one(number) for number in range(8))))

    return app


def make(kind: str, variant: str) -> Any:
    """Return the application, wrapped as the variant says."""
    from benchmarks.requests import NoOp

    rate = VARIANTS[variant]
    os.environ |= {"RETRACE": "1" if rate else "0", "RETRACE_SAMPLE_RATE": rate or "0"}
    from retrace_mw import RetraceMiddleware

    app = make_app()
    if not rate:
        return NoOp(app).asgi if variant == "no-op" else app
    if variant.endswith("no steps"):
        for module in list(sys.modules.values()):
            if module.__name__.startswith("retrace_core.") and hasattr(module, "answered"):
                setattr(module, "answered", lambda *_: None)  # noqa: B010
    return RetraceMiddleware(app, service="services")


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        with postgresql_server() as database, redis_server() as store:
            found = measure(
                "benchmarks.services",
                "asgi",
                tuple(VARIANTS),
                folder=Path(name),
                url="",
                recordings=lambda variant: Path(name) / variant.replace(" ", ""),
                more={
                    "BENCH_POSTGRESQL": database.url(database.new_database()),
                    "BENCH_REDIS": store.url(),
                },
                asked=PATHS,
            )
        for path, rounds in found.items():
            print_table(f"FastAPI, asyncpg, redis-py, {path}", rounds)
            for one, other in RATIOS:
                print(f"  {one} over {other}: {ratio(rounds, one, other)}", flush=True)


if __name__ == "__main__":
    if "--serve" in sys.argv:
        place = sys.argv.index("--serve")
        serve(sys.argv[place + 1], sys.argv[place + 2], make)
    else:
        main()
