"""sqlite-web: a browser of SQLite databases (Flask, peewee), by its own command."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

SCHEMA = """
create table fruit (id integer primary key, name text not null, price real, seen datetime);
create index fruit_name on fruit (name);
create table sale (id integer primary key, fruit integer references fruit (id), amount integer);
create view dear as select name, price from fruit where price > 3;
create trigger no_free before insert on sale when new.amount = 0
begin select raise(abort, 'nothing sold'); end;
"""
MAKE = f"""
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript('''{SCHEMA}''')
rows = [(f"fruit {{n}}", n / 2, f"2026-01-{{n % 28 + 1:02}} 10:00:00") for n in range(120)]
db.executemany("insert into fruit (name, price, seen) values (?, ?, ?)", rows)
db.commit()
"""


def prepare(place: Place) -> None:
    """Make a database with some rows."""
    place.run("python", "-c", MAKE, "{state}/shop.db")


def _key(number: int) -> str:
    return base64.urlsafe_b64encode(f'["{number}"]'.encode()).decode().rstrip("=")


def drive(visitor: Visitor) -> None:
    """Log in, look at tables, query, change rows and columns, import and export."""
    visitor.get("/", 302)
    visitor.get("/login/")
    visitor.post("/login/", 200, data={"password": "wrong"})
    visitor.post("/login/", 302, data={"password": "A-good-password-7"})
    visitor.get("/")
    visitor.get("/fruit/")
    visitor.get("/fruit/content/")
    visitor.get("/fruit/content/?page=2&ordering=-name")
    visitor.get("/absent/content/", 302, 404)
    visitor.get("/dear/content/")
    visitor.get("/query/")
    visitor.post("/query/", data={"sql": "select name, price from fruit where price > 50"})
    visitor.post("/query/", data={"sql": "select nonsense from nowhere"})
    visitor.post(
        "/fruit/query/", data={"sql": "select * from fruit limit 10", "export_json": "json"}
    )
    visitor.post("/query/", data={"sql": "select random(), datetime('now')"})
    visitor.get("/fruit/insert/")
    visitor.post(
        "/fruit/insert/",
        302,
        data={"name": "quince", "price": "2.5", "seen": "2026-02-03 04:05:06"},
    )
    visitor.post("/fruit/insert/", 200, data={"price": "many"})
    page = visitor.get("/fruit/content/").text
    start = page.find("/fruit/update/")
    key = page[start + len("/fruit/update/") :].split("/")[0] if start > 0 else _key(1)
    visitor.get(f"/fruit/update/{key}/", 200, 302)
    visitor.post(f"/fruit/update/{key}/", 200, 302, data={"name": "melon", "price": "4"})
    visitor.get(f"/fruit/row/{key}/", 200, 302, 404)
    visitor.post(f"/fruit/delete/{key}/", 200, 302)
    visitor.post("/fruit/add-column/", 302, data={"name": "colour", "type": "TEXT"})
    visitor.post("/fruit/rename-column/", 302, data={"rename": "colour", "rename_to": "hue"})
    visitor.post("/fruit/add-index/", 200, 302, data={"indexed_columns": ["price"], "unique": ""})
    columns = {"columns": ["name", "price"]}
    visitor.post("/fruit/export/", data={**columns, "export_format": "csv"})
    visitor.post("/fruit/export/", data={**columns, "export_format": "json"})
    more = {"file": ("more.csv", b"name,price\nfig,1.5\nkiwi,0.5\n", "text/csv")}
    visitor.post("/fruit/import/", 200, 302, files=more)
    bad = {"file": ("more.txt", b"fig", "text/plain")}
    visitor.post("/fruit/import/", 200, 302, files=bad)
    visitor.post("/create-table/", 302, data={"table_name": "notes"})
    visitor.get("/notes/import/")
    visitor.post("/sale/insert/", 200, data={"fruit": "2", "amount": "0"})
    visitor.post("/notes/drop/", 302)
    visitor.get("/download/")
    visitor.get("/static/css/absent.css", 404)
    visitor.get("/logout/", 302)


APP = Application(
    name="sqlite_web",
    framework="Flask",
    uses=("SQLite", "files", "threads"),
    packages=("sqlite-web==0.8.2",),
    server=("sqlite_web", "-x", "-P", "-p", "{port}", "{state}/shop.db"),
    environment={"SQLITE_WEB_PASSWORD": "A-good-password-7"},
    prepare=prepare,
    drive=drive,
)
