"""Pricing: a FastAPI service that asks a third party for rates, and its database for prices."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine, create_engine, text

from retrace_mw import RetraceMiddleware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CONFIG = json.loads((Path(__file__).parents[1] / "build" / "demo" / "services.json").read_text())
"""Where the databases and the other services are; the demo writes it."""

PRICES = {"lamp": 4990, "chair": 12900, "kettle": 3490}


def open_database() -> Engine:
    """Return the database, filled when it is new."""
    engine = create_engine(f"sqlite:///{CONFIG['pricing_database']}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS price (item TEXT UNIQUE, cents INT)"))
        for item, cents in PRICES.items():
            connection.execute(
                text("INSERT OR IGNORE INTO price VALUES (:item, :cents)"),
                {"item": item, "cents": cents},
            )
    return engine


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open what the service needs, and close it."""
    app.state.engine = open_database()
    async with httpx.AsyncClient(timeout=10) as client:
        app.state.client = client
        yield


app = FastAPI(title="pricing", lifespan=lifespan)
app.add_middleware(RetraceMiddleware)  # the one line


async def rate_of(currency: str) -> dict[str, Any]:
    """Return what the third party says about a currency."""
    answer = await app.state.client.get(f"{CONFIG['rates_url']}/rate/{currency}")
    found: dict[str, Any] = answer.json()
    return found


@app.get("/health")
async def health() -> dict[str, bool]:
    """Say that the service is up."""
    return {"ok": True}


@app.get("/price/{item}")
async def price(item: str) -> dict[str, Any]:
    """Return the price of an item in several currencies, in the order in which they came."""
    with app.state.engine.connect() as connection:
        cents = connection.execute(
            text("SELECT cents FROM price WHERE item = :item"), {"item": item}
        ).scalar_one()
    prices: dict[str, int] = {}
    for answer in asyncio.as_completed([rate_of(name) for name in ("EUR", "GBP", "JPY", "CHF")]):
        rate = await answer
        prices[rate["currency"]] = round(cents * rate["rate"])
    return {"item": item, "cents": cents, "in": prices, "at": time.time()}
