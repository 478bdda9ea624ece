"""BlackSheep: a shop's API, with SQLAlchemy's asyncio on aiosqlite, JWTs, and events sent."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.corpus.visitor import Visitor


class Rates(BaseHTTPRequestHandler):
    """Says what money is worth."""

    def do_GET(self) -> None:
        """Answer."""
        money = self.path.rsplit("/", 1)[-1]
        body = json.dumps({"money": money, "rate": len(self.path) / 7}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None:
        """Say nothing."""


def _pieces() -> Iterator[bytes]:
    for number in range(5):
        yield f"piece {number} ".encode() * 1000


def drive(visitor: Visitor) -> None:
    """Register, log in, fill the shop, order, cancel; look at rates and at streams."""
    visitor.get("/")
    visitor.get("/")
    visitor.get("/openapi.json")
    visitor.get("/docs")
    ann = {"email": "ann@orchard.example", "password": "Lemon-Tree-17"}
    bob = {"email": "bob@orchard.example", "password": "Plum-Tree-18"}
    visitor.post("/register", json=ann)
    visitor.post("/register", 409, json=ann)
    visitor.post("/register", json=bob)
    visitor.post("/register", 400, json={**bob, "password": "short"})
    visitor.post("/register", 400, json={"email": "nobody"})
    visitor.post("/token", 401, json={**ann, "password": "wrong-one-it-is"})
    token = visitor.post("/token", json=ann).json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    visitor.post("/products", 401, json={"name": "apple", "price": 1})
    for name, price, stock in (("apple", 1.5, 10), ("pear", 2.25, 3), ("Käse", 11.0, 1)):
        product = {"name": name, "price": price, "stock": stock}
        visitor.post("/products", headers=bearer, json=product)
    visitor.post("/products", 409, headers=bearer, json={"name": "pear", "price": 2})
    visitor.get("/products")
    visitor.get("/products?under=2")
    visitor.get("/products?under=much", 400)
    visitor.get("/products/2")
    visitor.get("/products/77", 404)
    picture = {"picture": ("p.png", b"\x89PNG" + bytes(range(256)) * 50, "image/png")}
    visitor.post("/products/1/picture", headers=bearer, files=picture)
    visitor.get("/products/1/picture")
    visitor.get("/products/2/picture", 404)
    visitor.post("/orders", headers=bearer, json={"lines": {"1": 2, "2": 1}})
    order = visitor.post("/orders", headers=bearer, json={"lines": {"1": 1}}).json()["id"]
    visitor.post("/orders", 409, headers=bearer, json={"lines": {"1": 1, "3": 5}})
    visitor.get("/orders", headers=bearer)
    visitor.get("/orders", 401)
    visitor.delete(f"/orders/{order}", 204, headers=bearer)
    visitor.delete(f"/orders/{order}", 404, headers=bearer)
    visitor.get("/orders", headers=bearer)
    visitor.get("/rates")
    visitor.get("/ticker")
    visitor.get("/export")
    visitor.post("/echo", content=_pieces())
    visitor.get("/broken", 500)
    visitor.get("/")
    visitor.get("/nowhere", 401)


APP = Application(
    name="blacksheep_shop",
    framework="BlackSheep",
    uses=("SQLite", "HTTP", "files", "threads"),
    packages=(
        "blacksheep[full]==2.6.4",
        "SQLAlchemy[asyncio]==2.0.44",
        "aiosqlite==0.21.0",
        "PyJWT==2.10.1",
        "httpx==0.28.1",
        "uvicorn==0.54.0",
    ),
    server=("uvicorn", "--port", "{port}", "app:app"),
    environment={
        "CORPUS_STATE": "{state}",
        "SHOP_SECRET": "many-shelves-and-one-door-only-0123456789",
        "ORIGIN": "{origin}",
    },
    origin=Rates,
    drive=drive,
)
