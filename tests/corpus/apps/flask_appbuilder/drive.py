"""Flask-AppBuilder: forms, lists, charts and an API of models (Flask, psycopg 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

PASSWORD = "secret-of-ann"
ADMINISTRATOR = f"""
import sys
sys.path.insert(0, sys.argv[1])
from app import appbuilder, application
with application.app_context():
    security = appbuilder.sm
    role = security.find_role("Admin")
    security.add_user("ann", "Ann", "A", "ann@example.com", role, {PASSWORD!r})
"""


def prepare(place: Place) -> None:
    """Make the tables and an administrator."""
    (place.state / "uploads").mkdir()
    place.run("python", "-c", ADMINISTRATOR, str(place.here))


def drive(visitor: Visitor) -> None:
    """Log in, fill in forms with a file, list, sort, search, chart; then by the API."""
    token = "csrf_token"
    visitor.get("/")
    visitor.get("/contactview/list/", 302)
    visitor.get("/login/")
    visitor.send_form("/login/", {"username": "ann", "password": "no"}, 200, 302, token=token)
    visitor.send_form("/login/", {"username": "ann", "password": PASSWORD}, 302, token=token)
    visitor.get("/")
    for name in ("Friends", "Family"):
        visitor.send_form("/groupview/add", {"name": name}, 302, token=token)
    visitor.send_form("/groupview/add", {"name": "Friends"}, 200, 302, token=token)
    for number in range(3):
        visitor.send_form(
            "/contactview/add",
            {
                "name": f"Zoë {number}",
                "address": "Main Street",
                "birthday": "1990-02-03",
                "contact_group": str(1 + number % 2),
            },
            302,
            token=token,
            files={"contract": (f"c{number}.txt", b"a contract\n" * 40, "text/plain")},
        )
    visitor.send_form("/contactview/add", {"name": ""}, 200, token=token)
    visitor.get("/contactview/list/")
    visitor.get("/contactview/list/?_oc_ContactView=name&_od_ContactView=desc")
    visitor.get("/contactview/list/?_flt_0_contact_group=1")
    visitor.get("/contactview/show/1")
    visitor.send_form(
        "/contactview/edit/1", {"name": "Zoë", "birthday": "1990-02-04"}, 302, token=token
    )
    visitor.get("/contactview/show/1")
    visitor.get("/contactview/show/99", 302, 404)
    visitor.get("/groupview/show/1")
    visitor.get("/contactchart/chart/")
    visitor.get("/users/list/")
    visitor.get("/roles/list/")
    visitor.get("/users/userinfo/")
    login = {"username": "ann", "password": PASSWORD, "provider": "db", "refresh": True}
    said = visitor.post("/api/v1/security/login", json=login).json()
    visitor.post("/api/v1/security/login", 401, json={**login, "password": "no"})
    bearer = {"Authorization": f"Bearer {said['access_token']}"}
    again = {"Authorization": f"Bearer {said['refresh_token']}"}
    visitor.post("/api/v1/security/refresh", headers=again)
    api = "/api/v1/contact/"
    visitor.get(api, headers=bearer)
    visitor.get(f"{api}_info", headers=bearer)
    query = "(filters:!((col:name,opr:sw,value:Zo)),order_column:name,page:0,page_size:2)"
    visitor.get(f"{api}?q={query}", headers=bearer)
    made = visitor.post(api, 201, json={"name": "Bob", "contact_group": 1}, headers=bearer).json()
    visitor.post(api, 422, json={"name": 5}, headers=bearer)
    visitor.get(f"{api}{made['id']}", headers=bearer)
    visitor.put(f"{api}{made['id']}", json={"address": "Elm Street"}, headers=bearer)
    visitor.delete(f"{api}{made['id']}", headers=bearer)
    visitor.get(f"{api}{made['id']}", 404, headers=bearer)
    visitor.get("/api/v1/_openapi", 200, 404, headers=bearer)
    visitor.get("/lang/de", 302, 404)
    visitor.get("/logout/", 302)
    visitor.get("/nowhere", 404)


APP = Application(
    name="flask_appbuilder",
    framework="Flask",
    uses=("PostgreSQL", "files"),
    packages=(
        "Flask-AppBuilder==5.3.0",
        "Flask==3.1.3",
        "SQLAlchemy==2.0.44",
        "marshmallow-sqlalchemy==1.4.1",
        "marshmallow==3.26.1",
        "psycopg[binary]==3.3.9",
        "gunicorn==23.0.0",
    ),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={
        "CORPUS_STATE": "{state}",
        "CORPUS_DATABASE": "postgresql+psycopg://postgres:secret@{postgresql}",
    },
    needs=frozenset({"postgresql"}),
    prepare=prepare,
    drive=drive,
)
