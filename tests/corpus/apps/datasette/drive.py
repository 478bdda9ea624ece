"""Datasette: a database as pages and JSON (ASGI of its own, SQLite on its own threads)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor


def prepare(place: Place) -> None:
    """Make the database."""
    with closing(sqlite3.connect(place.state / "books.db")) as db:
        db.executescript(
            "create table author (id integer primary key, name text unique not null);"
            "create table book (id integer primary key, title text, year int, price real,"
            " author_id integer references author(id), cover blob);"
            "create virtual table book_fts using fts5(title, content='book', content_rowid='id');"
        )
        names = [("Ada",), ("Grace",), ("Zoë",)]
        db.executemany("insert into author (name) values (?)", names)
        rows = [(f"Book {n}", 1990 + n % 7, n * 1.25, 1 + n % 3, bytes([n])) for n in range(30)]
        columns = "title, year, price, author_id, cover"
        db.executemany(f"insert into book ({columns}) values (?, ?, ?, ?, ?)", rows)
        db.execute("insert into book_fts (rowid, title) select id, title from book")
        db.commit()


def drive(visitor: Visitor) -> None:
    """Browse, search, export, and write by a canned query."""
    visitor.get("/")
    visitor.get("/.json")
    visitor.get("/books")
    visitor.get("/books.json")
    page = visitor.get("/books/book.json").json()
    visitor.get(f"/books/book.json?_next={page['next']}")
    visitor.get("/books/book?_sort_desc=price")
    visitor.get("/books/book?year=1993&_facet=author_id")
    visitor.get("/books/book?_search=Book")
    visitor.get("/books/book.json?_shape=objects&price__gt=30&_size=max")
    visitor.get("/books/book/3")
    visitor.get("/books/book/3.json")
    visitor.get("/books/book/3.blob?_blob_column=cover")
    visitor.get("/books/book/999", 404)
    visitor.get("/books/absent", 404)
    visitor.get("/absent", 404)
    visitor.get("/books/book.csv?_stream=1")
    visitor.get("/books?sql=select+count(*)+from+book")
    visitor.get("/books.json?sql=select+title+from+book+where+id+%3C+:top&top=4")
    visitor.get("/books?sql=select+nonsense+from", 400)
    visitor.get("/books?sql=delete+from+book", 400)
    visitor.get("/books/by_year?year=1992")
    add = "/books/add_author"
    visitor.send_form(add, {"name": "Edsger"}, 302, token="csrftoken")
    visitor.send_form(add, {"name": "Edsger"}, 302, token="csrftoken")
    visitor.post(add, 403, data={"name": "Barbara"})
    visitor.get("/books/author")
    visitor.get("/-/versions.json")
    visitor.get("/-/databases.json")
    visitor.get("/-/static/app.css")


APP = Application(
    name="datasette",
    framework="ASGI",
    uses=("SQLite",),
    packages=("datasette==0.65.5", "uvicorn==0.35.0"),
    server=("uvicorn", "--port", "{port}", "app:application"),
    environment={"CORPUS_STATE": "{state}"},
    prepare=prepare,
    drive=drive,
)
