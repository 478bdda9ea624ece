"""Strawberry on FastAPI: GraphQL with data loaders, uploads and subscriptions (asyncpg)."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor

_BOOKS = """query Books($first: Int!, $after: Int = 0, $money: Money!) {
  books(first: $first, after: $after) {
    id uid title price added cursor author { id name born } reviews { stars words }
    priceIn(money: $money)
  }
}"""
_ADD = """mutation Add($given: NewBook!) {
  addBook(given: $given) {
    __typename ... on Book { id uid title added author { name books { title } } }
    ... on Refused { why }
  }
}"""
_REVIEW = (
    "mutation($b: ID!, $s: Int!, $w: String!) { review(book: $b, stars: $s, words: $w) { stars } }"
)


class Rates(BaseHTTPRequestHandler):
    """Says what money is worth."""

    def do_GET(self) -> None:
        """Answer."""
        rate = 1.25 if self.path.endswith("USD") else 1
        body = json.dumps({"rate": rate}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None:
        """Say nothing."""


def drive(visitor: Visitor) -> None:
    """Add books, write reviews, look at all of it by queries small and large, right and wrong."""

    def ask(query: str, *expect: int, headers: dict[str, str] | None = None, **given: Any) -> Any:
        document = {"query": query, "variables": given}
        return visitor.post("/graphql", *expect, headers=headers, json=document).json()

    visitor.get("/graphql", headers={"Accept": "text/html"})
    visitor.get("/openapi.json")
    books = (
        ("Orchards", "Ann Appleby", "12.50", "1960-02-03"),
        ("Perry", "Bob Pear", "8.00", None),
        ("Cider", "Ann Appleby", "20.25", None),
        ("Äpfel", "Cäcilie Quitte", "9.99", "1999-12-31"),
    )
    for title, author, price, born in books:
        ask(_ADD, given={"title": title, "author": author, "price": price, "born": born})
    ask(_ADD, given={"title": "Free", "author": "Nobody", "price": "-1"})
    ask(_ADD, given={"title": "Wrong", "author": "Nobody", "price": "much"})
    for book, stars in (("1", 5), ("1", 3), ("3", 4)):
        ask(_REVIEW, b=book, s=stars, w=f"{stars} stars, I'd say")
    ask(_REVIEW, b="99", s=1, w="of a book that is not there")
    for first, after, money in ((10, 0, "EUR"), (2, 1, "USD"), (10, 99, "EUR")):
        ask(_BOOKS, first=first, after=after, money=money)
    ask(_BOOKS, first=1, money="GBP")
    ask("{ book(id: 2) { title author { name } } other: book(id: 4) { title reviews { stars } } }")
    ask("{ book(id: 77) { title } }")
    ask("{ lucky { title uid } }")
    ask("{ lucky { title priceIn(money: USD) eur: priceIn(money: EUR) } }")
    ask("{ statistics }")
    ask("{ statistics }", headers={"Authorization": "Bearer reader-of-many-books-0123456789"})
    ask("{ broken books(first: 1) { title } }")
    ask("{ nothing }")
    ask("{ books(first: 1")
    ask("query A { lucky { id } } query B { broken }", operationName=None)
    visitor.get("/graphql?query={books(first:2){title}}")
    visitor.post("/graphql", 400, json={})
    visitor.post("/graphql", 400, content=b"{", headers={"Content-Type": "application/json"})
    ask("{ __schema { types { name kind } } }")
    operations = {
        "query": "mutation($f: Upload!) { cover(book: 1, file: $f) }",
        "variables": {"f": None},
    }
    visitor.post(
        "/graphql",
        data={"operations": json.dumps(operations), "map": json.dumps({"0": ["variables.f"]})},
        files={"0": ("cover.png", b"\x89PNG" + bytes(range(256)) * 30, "image/png")},
    )
    visitor.post(
        "/graphql",
        headers={"Accept": "multipart/mixed;subscriptionSpec=1.0,application/json"},
        json={"query": "subscription { added(count: 3) }"},
    )
    visitor.get("/feed")
    visitor.get("/nowhere", 404)


APP = Application(
    name="strawberry_library",
    framework="FastAPI",
    uses=("PostgreSQL", "HTTP", "files", "tasks"),
    packages=(
        "strawberry-graphql[fastapi]==0.341.2",
        "SQLAlchemy[asyncio]==2.0.44",
        "asyncpg==0.31.0",
        "httpx==0.28.1",
        "uvicorn[standard]==0.54.0",
    ),
    server=("uvicorn", "--port", "{port}", "app:app"),
    environment={
        "CORPUS_STATE": "{state}",
        "DATABASE": "{postgresql}",
        "READER_TOKEN": "reader-of-many-books-0123456789",
        "ORIGIN": "{origin}",
    },
    needs=frozenset({"postgresql"}),
    origin=Rates,
    drive=drive,
)
