"""Piccolo Admin: tables in a browser (FastAPI, Piccolo's ORM on PostgreSQL by asyncpg)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

FIRST_DATA = """
from app import TABLES, User
from piccolo.table import create_db_tables_sync
create_db_tables_sync(*TABLES, if_not_exists=True)
User.create_user_sync(username="ann", password="secret-of-ann", email="ann@example.com",
    admin=True, active=True, superuser=True)
User.create_user_sync(username="bob", password="secret-of-bob", email="bob@example.com",
    admin=True, active=True, superuser=False)
"""
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c63f8cfc0f01f00050001ff56c72f0d0000000049454e44ae426082"
)


def prepare(place: Place) -> None:
    """Make the tables, an administrator and a helper of hers."""
    (place.state / "media" / "photo").mkdir(parents=True)
    place.run("python", "-c", f"import sys; sys.path[0] = {str(place.here)!r}\n{FIRST_DATA}")


def drive(visitor: Visitor) -> None:
    """Log in, fill tables, upload a photo, search, change, delete, log out."""
    tables = "/admin/api/tables"
    visitor.get("/admin/")
    visitor.get("/admin/public/meta/")
    visitor.get("/admin/public/translations/")
    visitor.get("/admin/public/translations/de/")
    visitor.get(f"{tables}/movie/", 401)

    def ask(method: str, path: str, *expect: int, **how: Any) -> Any:
        token = {"X-CSRFToken": visitor.cookies["csrftoken"]}
        return visitor.ask(method, path, *expect, headers=token, **how)

    login = "/admin/public/login/"
    visitor.post(login, 403, json={"username": "ann", "password": "secret-of-ann"})
    ask("POST", login, 401, json={"username": "ann", "password": "wrong"})
    ask("POST", login, 200, 303, json={"username": "ann", "password": "secret-of-ann"})
    ask("GET", "/admin/api/user/")
    ask("GET", f"{tables}/")
    ask("GET", f"{tables}/grouped/")
    ask("GET", f"{tables}/movie/schema/")
    ask("GET", "/admin/api/forms/")
    photo = ask(
        "POST",
        "/admin/api/media/",
        data={"table_name": "director", "column_name": "photo"},
        files={"file": ("ada.png", PIXEL, "image/png")},
    ).json()["file_key"]
    director = {"name": "Ada", "years_nominated": [1999, 2003], "gender": "f", "photo": photo}
    ada = ask("POST", f"{tables}/director/", json=director).json()[0]["id"]
    ask("POST", f"{tables}/director/", 422, json={"name": "Grace", "gender": "f"})
    ask("POST", f"{tables}/director/", json={**director, "name": "Grace", "photo": ""})
    ask("POST", f"{tables}/director/", 422, json={"name": "x", "gender": "unknown"})
    studio = {
        "name": "North",
        "facilities": '{"stages": 3}',
        "opened": "2001-02-03T04:05:06+02:00",
    }
    north = ask("POST", f"{tables}/studio/", json=studio).json()[0]["pk"]
    ask("POST", f"{tables}/studio/", 422, json=studio)
    for n, name in enumerate(("Alpha", "Beta", "Gamma")):
        movie = {
            "name": name,
            "rating": f"{6 + n}.5",
            "duration": 5400 + n,
            "director": ada,
            "studio": north,
            "won_oscar": n == 1,
            "description": f"<p>{name}</p>",
            "release_date": f"200{n}-01-31",
            "tags": ["one", name.lower()],
        }
        ask("POST", f"{tables}/movie/", json=movie)
    ask("GET", f"{tables}/movie/?__page=1&__page_size=2&__order=-rating")
    ask("GET", f"{tables}/movie/?name=eta&name__match=contains&__readable=true")
    ask("GET", f"{tables}/movie/?rating=7&rating__operator=gte")
    ask("GET", f"{tables}/movie/count/?won_oscar=true")
    ask("GET", f"{tables}/movie/?rating=high", 422)
    ask("GET", f"{tables}/movie/new/")
    ask("GET", f"{tables}/movie/1/?__readable=true")
    ask("GET", f"{tables}/movie/999/", 404)
    ask("GET", f"{tables}/director/ids/?search=a")
    ask("GET", f"{tables}/movie/references/", 200, 404)
    ask("PATCH", f"{tables}/movie/1/", json={"rating": "9.9", "description": "<p>Good</p>"})
    ask("PUT", f"{tables}/movie/2/", 204, 200, json={**movie, "name": "Beta, again"})
    ask("DELETE", f"{tables}/movie/3/", 204, 200)
    url = ask(
        "POST",
        "/admin/api/media/generate-file-url/",
        json={"table_name": "director", "column_name": "photo", "file_key": photo},
    ).json()["file_url"]
    ask("GET", f"/admin/api{url.partition('/api')[2]}" if "/api" in url else url)
    ask("GET", "/admin/api/forms/best/schema/")
    ask("POST", "/admin/api/forms/best/", json={"first": 7, "second": 4})
    ask("POST", "/admin/api/forms/best/", 422, json={"first": "seven"})
    ask("GET", f"{tables}/piccolo_user/")
    ask("GET", f"{tables}/director/?__visible_fields=id,name&__order=name")
    change = {
        "current_password": "secret-of-ann",
        "new_password": "new-secret-of-ann",
        "confirm_new_password": "new-secret-of-ann",
    }
    ask("POST", "/admin/api/change-password/", 200, 303, data=change)
    ask("POST", login, 200, 303, json={"username": "bob", "password": "secret-of-bob"})
    ask("GET", f"{tables}/piccolo_user/", 200, 403)
    ask("DELETE", f"{tables}/director/{ada}/", 204, 200, 403)
    ask("POST", "/admin/public/logout/", 200, 303)
    ask("GET", f"{tables}/movie/", 401)
    visitor.get("/admin/assets/nothing.js", 404)


APP = Application(
    name="piccolo_admin",
    framework="FastAPI",
    uses=("PostgreSQL", "files"),
    packages=(
        "piccolo_admin==1.14.0",
        "piccolo[postgres]==1.38.0",
        "asyncpg==0.32.0",
        "uvicorn==0.35.0",
    ),
    server=("uvicorn", "--port", "{port}", "app:app"),
    environment={"CORPUS_POSTGRESQL": "{postgresql}", "CORPUS_STATE": "{state}"},
    needs=frozenset({"postgresql"}),
    prepare=prepare,
    drive=drive,
)
