"""The checkout that is measured: 4 SQL statements, HTTP, clock, uuid, random, 4 KB of JSON.

`make_wsgi()` is Flask with requests, `make_asgi()` FastAPI with httpx, which gathers five calls
of random latency and takes them in the order in which they complete.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
import uuid
from typing import Any

import flask
import httpx
import requests
import sqlalchemy
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from sqlalchemy import text

LINES = [{"sku": f"sku-{n}", "name": f"product number {n}", "cents": n * 17} for n in range(60)]


def make_engine() -> sqlalchemy.Engine:
    """Return the shop's database, filled."""
    engine = sqlalchemy.create_engine(f"sqlite:///{os.environ['BENCH_DB']}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, a, b)"))
        connection.execute(text("INSERT INTO item (a, b) VALUES ('x', 1.5), ('y', 2.5)"))
    return engine


def checkout(engine: sqlalchemy.Engine) -> dict[str, Any]:
    """Do what every checkout does but for its HTTP calls: one write would serialise the runs."""
    with engine.connect() as connection:
        rows = [
            tuple(connection.execute(text("SELECT a, b FROM item WHERE id = :id"), {"id": n}).one())
            for n in (1, 2, 1, 2)
        ]
    return {
        "rows": rows,
        "at": time.time(),
        "id": str(uuid.uuid4()),
        "luck": random.randint(1, 10**6),
        "lines": LINES,
    }


def make_wsgi() -> Any:
    """Return the Flask application."""
    app = flask.Flask("shop")
    engine, session, url = make_engine(), requests.Session(), os.environ["BENCH_URL"]

    @app.get("/checkout")
    def handler() -> dict[str, Any]:
        found = checkout(engine)
        return {**found, "upstream": len(session.get(f"{url}/quote", timeout=10).text)}

    @app.get("/empty")
    def empty() -> str:
        return ""

    return app


def make_asgi() -> Any:
    """Return the FastAPI application."""
    app = FastAPI(title="shop")
    engine, url = make_engine(), os.environ["BENCH_URL"]
    clients: list[httpx.AsyncClient] = []

    def client() -> httpx.AsyncClient:
        if not clients:
            clients.append(httpx.AsyncClient(timeout=20))
        return clients[0]

    @app.get("/checkout")
    async def handler() -> JSONResponse:
        answer = await client().get(f"{url}/quote")
        return JSONResponse({**checkout(engine), "upstream": len(answer.text)})

    @app.get("/fan")
    async def fan() -> JSONResponse:
        async def one(number: int) -> tuple[int, Any]:
            return number, (await client().get(f"{url}/slow")).json()["n"]

        order = [await done for done in asyncio.as_completed([one(n) for n in range(5)])]
        return JSONResponse({**checkout(engine), "order": order})

    @app.get("/empty")
    async def empty() -> JSONResponse:
        return JSONResponse({})

    return app
