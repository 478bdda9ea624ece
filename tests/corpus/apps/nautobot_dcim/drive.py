"""Nautobot: what is in a network, by pages, REST and GraphQL (Django, PostgreSQL, Redis)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

FIRST_DATA = """
from nautobot.users.models import Token, User
boss = User.objects.create_superuser("boss", "boss@net.example", "Gl4d-Summer-Rain")
Token.objects.create(user=boss, key="0123456789abcdef0123456789abcdef01234567")
"""
CONFIG = ("-c", "{here}/nautobot_config.py")


def prepare(place: Place) -> None:
    """Make the tables and the boss."""
    place.run("nautobot-server", *CONFIG, "migrate")
    place.run("nautobot-server", *CONFIG, "collectstatic", "--noinput")
    place.run("nautobot-server", *CONFIG, "shell", given=FIRST_DATA)


def drive(visitor: Visitor) -> None:
    """Log in, build a site by REST, look at it in pages, ask by GraphQL, change and delete."""
    page = visitor.get("/login/")
    assert page.text
    visitor.send_form(
        "/login/",
        {"username": "boss", "password": "wrong"},
        200,
        token="csrfmiddlewaretoken",
    )
    visitor.send_form(
        "/login/",
        {"username": "boss", "password": "Gl4d-Summer-Rain"},
        302,
        token="csrfmiddlewaretoken",
    )
    visitor.get("/")
    token = {"Authorization": "Token 0123456789abcdef0123456789abcdef01234567"}

    def made(path: str, **what: Any) -> str:
        answer = visitor.post(f"/api/{path}/", 201, headers=token, json=what)
        return str(answer.json()["id"])

    visitor.get("/api/", headers=token)
    visitor.get("/api/dcim/devices/", 401, 403, headers={"Authorization": "Token nonsense"})
    active = visitor.get("/api/extras/statuses/?name=Active", headers=token).json()["results"][0]
    kind = made("dcim/location-types", name="Site", content_types=["dcim.device"])
    site = made("dcim/locations", name="Oslo", location_type=kind, status=active["id"])
    maker = made("dcim/manufacturers", name="Acme")
    model = made("dcim/device-types", model="X1", manufacturer=maker, u_height=1)
    role = made("extras/roles", name="switch", color="ff0000", content_types=["dcim.device"])
    devices = [
        made(
            "dcim/devices",
            name=f"sw{n}",
            device_type=model,
            role=role,
            location=site,
            status=active["id"],
        )
        for n in range(3)
    ]
    visitor.post("/api/dcim/devices/", 400, headers=token, json={"name": "lonely"})
    visitor.get("/api/dcim/devices/?limit=2", headers=token)
    visitor.get(f"/api/dcim/devices/{devices[0]}/?depth=1", headers=token)
    visitor.patch(f"/api/dcim/devices/{devices[0]}/", headers=token, json={"serial": "S-1"})
    spaces = visitor.get("/api/ipam/namespaces/", headers=token).json()["results"]
    prefix = {"prefix": "10.0.0.0/24", "namespace": spaces[0]["id"], "status": active["id"]}
    made("ipam/prefixes", **prefix)
    made("ipam/ip-addresses", address="10.0.0.1/24", namespace=spaces[0]["id"], status=active["id"])
    query = "{ devices { name serial location { name } } }"
    visitor.post("/api/graphql/", headers=token, json={"query": query})
    visitor.get("/dcim/devices/")
    visitor.get("/dcim/devices/?q=sw1")
    visitor.get(f"/dcim/devices/{devices[0]}/")
    visitor.get("/dcim/locations/")
    visitor.get("/ipam/prefixes/")
    visitor.get("/extras/object-changes/")
    visitor.get("/extras/jobs/")
    visitor.get("/search/?q=sw")
    visitor.get("/user/profile/")
    visitor.send_form(
        "/extras/tags/add/",
        {"name": "core", "color": "00ff00", "content_types": ""},
        200,
        302,
        token="csrfmiddlewaretoken",
    )
    visitor.get(f"/dcim/devices/{devices[2]}/delete/")
    visitor.delete(f"/api/dcim/devices/{devices[2]}/", headers=token)
    visitor.get(f"/dcim/devices/{devices[2]}/", 404)
    visitor.get("/api/status/", headers=token)
    visitor.get("/nowhere/", 404)
    visitor.get("/logout/", 302, 405)


APP = Application(
    name="nautobot_dcim",
    framework="Django",
    uses=("PostgreSQL", "Redis", "files"),
    packages=("nautobot==3.2.7", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--timeout", "300", "nautobot.core.wsgi"),
    environment={
        "CORPUS_POSTGRESQL": "{postgresql}",
        "CORPUS_REDIS": "{redis}",
        "NAUTOBOT_ROOT": "{state}",
        "NAUTOBOT_CONFIG": "{here}/nautobot_config.py",
    },
    needs=frozenset({"postgresql", "redis"}),
    prepare=prepare,
    drive=drive,
)
