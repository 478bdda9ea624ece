"""Isso: comments for web pages (Werkzeug, SQLite; it asks the website for the page's title)."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

SETTINGS = """
[general]
dbpath = {state}/comments.db
host = {origin}
max-age = 15m
[admin]
enabled = true
password = secret
[moderation]
enabled = false
[guard]
enabled = true
ratelimit = 100
direct-reply = 30
reply-to-self = true
[rss]
base = {origin}
[hash]
salt = pepper
"""


class Website(BaseHTTPRequestHandler):
    """The website that is commented on."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a page that has a title and a thread."""
        page = f"<html><body><h1>Page {self.path}</h1><div id='isso-thread'></div></body></html>"
        status = 404 if "absent" in self.path else 200
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.encode())

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def prepare(place: Place) -> None:
    """Write the settings."""
    (place.state / "isso.cfg").write_text(place.fill(SETTINGS))


def drive(visitor: Visitor) -> None:
    """Write, reply, edit, vote, moderate, delete."""
    story = {"uri": "/story/"}

    def write(text: str, *expect: int, page: dict[str, str] = story, **more: object) -> int:
        fields = {"text": text, "author": "Ann", "email": "ann@example.com", **more}
        answer = visitor.post("/new", *expect, params=page, json=fields)
        return int(answer.json()["id"]) if answer.status_code < 300 else 0

    visitor.get("/", 200, params=story)
    first = write("A *first* comment")
    reply = write("A reply, with <script>alert(1)</script>", parent=first)
    write("On another page", page={"uri": "/other/"})
    write("With a title", page={"uri": "/third/"}, title="The third")
    write("No such page", 400, page={"uri": "/absent/"})
    write("", 400)
    visitor.get("/", params=story)
    visitor.get("/", params={**story, "nested_limit": 0, "limit": 1, "plain": 1})
    visitor.get("/", params={**story, "after": 0.5})
    visitor.post("/count", json=["/story/", "/other/", "/nothing/"])
    visitor.get(f"/id/{first}")
    visitor.put(f"/id/{first}", json={"text": "Edited", "author": "Ann B."})
    visitor.put(f"/id/{first}", 400, json={"author": "x"})
    visitor.post(f"/id/{first}/like", headers={"X-Forwarded-For": "10.1.2.3"})
    visitor.post(f"/id/{reply}/dislike", headers={"X-Forwarded-For": "10.1.2.4"})
    visitor.post(f"/id/{first}/like", headers={"X-Forwarded-For": "10.1.2.3"})
    visitor.post("/preview", json={"text": "Some **bold** text\n\n- a\n- b"})
    visitor.get("/config")
    visitor.get("/feed", params=story)
    visitor.get("/latest", 200, 404, params={"limit": 3})
    visitor.delete(f"/id/{reply}")
    visitor.get("/id/999", 404)
    visitor.get("/admin/")
    visitor.post("/login/", data={"password": "wrong"})
    visitor.post("/login/", 302, data={"password": "secret"})
    visitor.get("/admin/")
    visitor.get("/admin/", params={"order_by": "created", "asc": 1, "mode": 1})
    visitor.get("/js/embed.min.js", 200, 304)
    visitor.get("/nowhere", 404)


APP = Application(
    name="isso",
    framework="Werkzeug",
    uses=("SQLite", "HTTP"),
    packages=("isso==0.14.0", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "isso.run:application"),
    environment={"ISSO_SETTINGS": "{state}/isso.cfg"},
    origin=Website,
    prepare=prepare,
    drive=drive,
)
