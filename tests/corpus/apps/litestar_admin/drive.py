"""litestar-admin: tables by an API and in a browser (Litestar, SQLAlchemy async on aiosqlite)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor


def drive(visitor: Visitor) -> None:
    """Look around, create, list, search, sort, edit, export, delete."""
    api = "/admin/api"
    visitor.get("/admin")
    visitor.get(f"{api}/config")
    visitor.get(f"{api}/models")
    visitor.get(f"{api}/models/Book/schema")
    for name in ("Ada", "Grace", "Zoë"):
        visitor.post(f"{api}/models/Author", json={"name": name})
    visitor.post(f"{api}/models/Author", 400, 409, 422, 500, json={"name": "Ada"})
    for n in range(6):
        book = {"title": f"Book {n}", "year": 1990 + n, "author_id": 1 + n % 3}
        visitor.post(f"{api}/models/Book", json=book)
    visitor.post(f"{api}/models/Book", 400, 422, 500, json={"year": 2000})
    visitor.get(f"{api}/models/Book")
    visitor.get(f"{api}/models/Book?page=2&page_size=4")
    visitor.get(f"{api}/models/Book?sort_by=title&sort_order=asc")
    visitor.get(f"{api}/models/Book?search=Book+1")
    visitor.get(f"{api}/models/Book/3")
    visitor.get(f"{api}/models/Book/999", 404)
    visitor.put(f"{api}/models/Book/3", json={"title": "Edited", "year": 2001, "author_id": 1})
    visitor.patch(f"{api}/models/Book/3", json={"year": 2002})
    visitor.get(f"{api}/models/Book/3")
    visitor.get(f"{api}/models/Book/export?format=csv")
    visitor.get(f"{api}/models/Book/export?format=json")
    visitor.post(f"{api}/models/Book/bulk/export", 200, 201, json={"ids": [1, 2]})
    visitor.get(f"{api}/models/Book/relationships/author/options", 200, 404)
    visitor.get(f"{api}/models/Book/relationships/author/search?q=a", 200, 404)
    visitor.get(f"{api}/dashboard/stats")
    visitor.get(f"{api}/dashboard/activity")
    visitor.get(f"{api}/dashboard/widgets")
    visitor.delete(f"{api}/models/Book/4")
    visitor.delete(f"{api}/models/Book/4", 404)
    visitor.post(f"{api}/models/Book/bulk/delete", json={"ids": [5, 6]})
    visitor.get(f"{api}/models/Book")
    visitor.get(f"{api}/models/Nothing", 404)
    visitor.get("/admin/models/Book")
    visitor.get("/schema/openapi.json")
    visitor.get("/nowhere", 404)


APP = Application(
    name="litestar_admin",
    framework="Litestar",
    uses=("SQLite",),
    packages=(
        "litestar-admin==0.1.3",
        "litestar==2.25.0",
        "advanced-alchemy==1.12.0",
        "SQLAlchemy[asyncio]==2.1.9",
        "aiosqlite==0.22.1",
        "uvicorn==0.54.0",
    ),
    server=("uvicorn", "--port", "{port}", "app:app"),
    environment={"CORPUS_STATE": "{state}"},
    drive=drive,
)
