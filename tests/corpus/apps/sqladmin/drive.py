"""SQLAdmin: tables in a browser (Starlette, SQLAlchemy async on PostgreSQL by asyncpg)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor


def drive(visitor: Visitor) -> None:
    """Create, list, search, sort, edit, export, delete."""
    visitor.get("/admin/")
    visitor.get("/admin/author/list")
    visitor.get("/admin/author/create")
    for name in ("Ada", "Grace", "Zoë"):
        visitor.post("/admin/author/create", 302, data={"name": name, "save": "Save"})
    visitor.post("/admin/author/create", 400, data={"name": "Ada", "save": "Save"})
    visitor.post("/admin/author/create", 400, data={"save": "Save"})
    for n in range(12):
        fields = {"title": f"Book {n}", "year": str(1990 + n), "author": str(1 + n % 3)}
        visitor.post("/admin/book/create", 302, data={**fields, "save": "Save"})
    visitor.post("/admin/book/create", 400, data={"title": "x", "year": "soon"})
    visitor.get("/admin/book/list")
    visitor.get("/admin/book/list?page=2&pageSize=10")
    visitor.get("/admin/book/list?sortBy=year&sort=desc")
    visitor.get("/admin/book/list?search=Book+1")
    visitor.get("/admin/book/details/3")
    visitor.get("/admin/book/details/999", 404)
    visitor.get("/admin/book/edit/3")
    edited = {"title": "Edited", "year": "2001", "author": "1", "save": "Save"}
    visitor.post("/admin/book/edit/3", 302, data=edited)
    visitor.get("/admin/book/details/3")
    visitor.get("/admin/book/export/csv")
    visitor.get("/admin/book/export/json")
    visitor.get("/admin/author/details/1")
    visitor.delete("/admin/book/delete?pks=4,5", 200, 302)
    visitor.delete("/admin/author/delete?pks=999", 200, 302, 404)
    visitor.get("/admin/book/list")
    visitor.get("/admin/nothing/list", 404)
    css = visitor.get("/admin/statics/css/main.css")
    tag = {"If-None-Match": css.headers["ETag"]}
    visitor.get("/admin/statics/css/main.css", 304, headers=tag)
    visitor.get("/nowhere", 404)


APP = Application(
    name="sqladmin",
    framework="Starlette",
    uses=("PostgreSQL",),
    packages=(
        "sqladmin==0.32.0",
        "SQLAlchemy[asyncio]==2.0.44",
        "asyncpg==0.30.0",
        "uvicorn==0.35.0",
    ),
    server=("uvicorn", "--port", "{port}", "app:app"),
    environment={"CORPUS_DB": "{postgresql}"},
    needs=frozenset({"postgresql"}),
    drive=drive,
)
