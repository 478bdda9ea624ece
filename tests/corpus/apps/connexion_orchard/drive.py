"""Connexion: an OpenAPI document that a Flask application serves, below ASGI (a2wsgi)."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor


class Weather(BaseHTTPRequestHandler):
    """Says what the sky is like."""

    def do_GET(self) -> None:
        """Answer."""
        body = json.dumps({"sky": "blue"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None:
        """Say nothing."""


def drive(visitor: Visitor) -> None:
    """Log in, get a key, plant trees, show photos of them, pick fruit; make mistakes too."""
    visitor.get("/api/ui/")
    visitor.get("/api/openapi.json")
    visitor.post("/api/login", 401, auth=("ann", "wrong"))
    visitor.post("/api/login", 401)
    token = visitor.post("/api/login", auth=("ann", "Lemon-17")).json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    visitor.post("/api/keys", 401, headers={"Authorization": f"Bearer {token}x"})
    key = {"X-Api-Key": visitor.post("/api/keys", headers=bearer).json()["key"]}
    for kind, tags in (("apple", ["red", "old"]), ("pear", []), ("plum", ["blue"]), ("fig", [])):
        made = {"kind": kind, "planted": "2020-05-04", "height": 3.5, "tags": tags}
        visitor.post("/api/trees", headers=bearer if tags else key, json=made)
    bad = {"kind": "x", "planted": "2020-05-04"}
    visitor.post("/api/trees", 400, headers=bearer, json=bad)
    visitor.post("/api/trees", 400, headers=bearer, content=b"{")
    visitor.post("/api/trees", 401, json=bad)
    visitor.post("/api/trees", 401, headers={"X-Api-Key": "orch_nobody"}, json=bad)
    visitor.post("/api/trees", 415, headers=bearer, data={"kind": "apple"})
    visitor.get("/api/trees")
    visitor.get("/api/trees?page=2")
    visitor.get("/api/trees?kind=plum&tag=blue")
    visitor.get("/api/trees?page=nine", 400)
    visitor.get("/api/trees?colour=red", 400)
    etag = visitor.get("/api/trees/1").headers["etag"]
    visitor.get("/api/trees/1", 304, headers={"If-None-Match": etag})
    visitor.get("/api/trees/99", 404)
    changed = {"kind": "cherry", "planted": "2021-01-02", "height": 2}
    visitor.put("/api/trees/2", headers=bearer, json=changed)
    visitor.put("/api/trees/99", 404, headers=bearer, json=changed)
    photo = {"photo": ("tree.png", b"\x89PNG\r\n" + bytes(range(256)) * 40, "image/png")}
    visitor.post("/api/trees/1/photo", headers=key, files=photo, data={"note": "in spring, Blüten"})
    visitor.post("/api/trees/1/photo", 415, headers=key, data={"note": "none"})
    visitor.get("/api/trees/1/photo")
    visitor.get("/api/trees/1/photo", 206, headers={"Range": "bytes=2-9"})
    visitor.get("/api/trees/3/photo", 404)
    visitor.post("/api/harvest", data={"tree": "1", "kilos": "12.5"})
    visitor.post("/api/harvest", data={"tree": "2", "kilos": "3", "day": "2026-01-02"})
    visitor.post("/api/harvest", 400, data={"tree": "2"})
    visitor.get("/api/harvest")
    visitor.get("/api/weather")
    visitor.get("/api/broken", 500)
    visitor.delete("/api/trees/3", 204, headers=bearer)
    visitor.get("/api/nowhere", 404)
    visitor.patch("/api/trees/1", 405)


def _prepare(place: Place) -> None:
    place.run(str(place.python), str(place.here / "app.py"))


APP = Application(
    name="connexion_orchard",
    framework="Connexion",
    uses=("SQLite", "HTTP", "files", "threads"),
    packages=(
        "connexion[flask,swagger-ui,uvicorn]==3.3.0",
        "PyJWT==2.10.1",
        "requests==2.32.5",
        "uvicorn==0.54.0",
    ),
    server=("uvicorn", "--port", "{port}", "app:app"),
    environment={
        "CORPUS_STATE": "{state}",
        "ORCHARD_SECRET": "many-trees-and-one-gate-only-0123456789",
        "ORIGIN": "{origin}",
    },
    origin=Weather,
    prepare=_prepare,
    drive=drive,
)
