"""A list of things to do, with users, files and a stream (FastHTML on fastlite and APSW)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor


def drive(visitor: Visitor) -> None:
    """Two users log in, write down what they have to do, and look after it."""
    visitor.get("/", 303)
    visitor.get("/login")
    visitor.post("/login", 303, data={"name": "", "password": ""})
    visitor.post("/login", 303, data={"name": "ann", "password": "open-sesame-17"})
    page = visitor.get("/").text
    token = re.search(r"Token: *([\w-]{20,})", page)
    for title in ("Buy lemons", "Ring bob@example.com", "Wash the car", "Nothing <b>bold</b>"):
        visitor.post("/", data={"title": title}, headers={"HX-Request": "1"})
    visitor.get("/")
    visitor.get("/tasks/1", headers={"HX-Request": "1"})
    visitor.put("/", data={"id": "1", "title": "Buy limes", "done": "1"})
    visitor.get("/tasks/1")
    visitor.post("/reorder", data={"id": ["3", "1", "4", "2"]})
    visitor.get("/")
    visitor.post("/tasks/2/files", files={"file": ("list.txt", b"one\ntwo\n" * 300, "text/plain")})
    visitor.post("/tasks/2/files", files={"file": ("photo.png", bytes(range(256)), "image/png")})
    visitor.get("/tasks/2")
    visitor.get("/download?name=2-list.txt")
    visitor.get("/download?name=2-list.txt", 206, headers={"Range": "bytes=0-99"})
    visitor.get("/download?name=none.txt", 404, 500, headers={"Connection": "close"})
    visitor.get("/countdown")
    visitor.get("/api/stats", 401)
    visitor.get("/api/stats", headers={"X-API-Token": token.group(1) if token else ""})
    visitor.get("/api/transaction")
    visitor.get("/api/transaction?fail=1", 409)
    visitor.get("/api/broken", 500, headers={"Connection": "close"})
    visitor.delete("/tasks/4")
    visitor.get("/tasks/4", 500, headers={"Connection": "close"})
    visitor.get("/tasks/none", 404, 500, headers={"Connection": "close"})
    visitor.get("/logout", 303)
    visitor.post("/login", 303, data={"name": "ann", "password": "wrong-one"})
    visitor.get("/login")
    visitor.post("/login", 303, data={"name": "carl", "password": "another-secret-9"})
    visitor.get("/")
    visitor.post("/", data={"title": "Feed the cat"})
    visitor.get("/")
    visitor.get("/nothing", 404)


APP = Application(
    name="fasthtml_todo",
    framework="FastHTML",
    uses=("SQLite (APSW)", "files", "threads"),
    packages=("python-fasthtml==0.14.14", "fastlite==0.2.4", "uvicorn==0.54.0"),
    server=("uvicorn", "--port", "{port}", "app:app"),
    environment={"CORPUS_STATE": "{state}"},
    drive=drive,
)
