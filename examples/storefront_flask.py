"""Storefront: a Flask service that asks pricing for a price, and keeps orders."""

from __future__ import annotations

import json
import random
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from flask import Flask
from sqlalchemy import Engine, create_engine, text

from retrace_mw import RetraceMiddleware

CONFIG = json.loads((Path(__file__).parents[1] / "build" / "demo" / "services.json").read_text())
"""Where the databases and the other services are; the demo writes it."""

STOCK = {"lamp": 120, "chair": 30, "kettle": 0}


def open_database() -> Engine:
    """Return the database, filled when it is new."""
    engine = create_engine(f"sqlite:///{CONFIG['storefront_database']}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS stock (item TEXT UNIQUE, n INT)"))
        connection.execute(
            text("CREATE TABLE IF NOT EXISTS orders (id TEXT, item TEXT, cents INT, at REAL)")
        )
        for item, count in STOCK.items():
            connection.execute(
                text("INSERT OR IGNORE INTO stock VALUES (:item, :n)"), {"item": item, "n": count}
            )
    return engine


engine = open_database()
session = requests.Session()
app = Flask("storefront")
app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]  # the one line


@app.get("/health")
def health() -> dict[str, bool]:
    """Say that the service is up."""
    return {"ok": True}


@app.get("/checkout/<item>")
def checkout(item: str) -> dict[str, Any]:
    """Order an item at today's price, with a lottery discount."""
    priced = session.get(f"{CONFIG['pricing_url']}/price/{item}", timeout=10).json()
    with engine.begin() as connection:
        left = connection.execute(
            text("SELECT n FROM stock WHERE item = :item"), {"item": item}
        ).scalar_one()
        discount = discount_for(left, random.randint(1, 20), time.time())
        order = {
            "id": str(uuid.uuid4()),
            "item": item,
            "cents": priced["in"]["EUR"] - discount,
            "at": time.time(),
        }
        connection.execute(text("INSERT INTO orders VALUES (:id, :item, :cents, :at)"), order)
    return {"order": order, "priced": priced, "day": datetime.now().strftime("%A %H:%M:%S.%f")}


def discount_for(left: int, luck: int, now: float) -> int:
    """Return a discount in cents, by which piece of the stock wins. (Do you see the bug?)"""
    winner = (luck + int(now)) % 20 + 1
    if winner > left:
        raise LookupError(f"piece {winner} won at {now:.6f}, and {left} are left")
    return 10 * winner
