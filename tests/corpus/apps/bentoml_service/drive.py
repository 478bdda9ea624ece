"""BentoML: a service of a model, by its own server (Starlette, SQLite, threads)."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor


class Words(BaseHTTPRequestHandler):
    """Tells of words."""

    def do_GET(self) -> None:
        """Answer."""
        body = json.dumps({"path": self.path, "letters": len(self.path)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None:
        """Say nothing."""


def drive(visitor: Visitor) -> None:
    """Look at its documents, sum up, stream, send files, wait for tasks; be wrong at times."""
    visitor.get("/")
    visitor.get("/docs.json")
    visitor.get("/readyz")
    visitor.get("/schema.json")
    words = ["apples", "are", "red", "and", "pears", "are", "not"]
    for title in ("Apples", "Äpfel", "Pears"):
        visitor.post("/summarise", json={"text": {"title": title, "words": words}})
        words = words[1:]
    visitor.post("/summarise", 400, json={"text": {"title": ""}})
    visitor.post("/summarise", 400, json={})
    visitor.post("/summarise", 400, content=b"{", headers={"Content-Type": "application/json"})
    visitor.post("/lengths", json={"texts": ["a", "bcd", "Äpfel"]})
    visitor.post("/lengths", json={"texts": ["one more"]})
    visitor.post("/look_up", json={"word": "plum"})
    visitor.post("/stream", json={"count": 4})
    visitor.post("/stream", json={})
    file = {"file": ("words.txt", b"some words\n" * 30, "text/plain")}
    visitor.post("/measure", files=file)
    visitor.post("/chart", json={"width": 12})
    visitor.post("/chart", 400, json={"width": 0})
    visitor.post("/history", json={"limit": 2})
    for name in ("ann", "bob", "ann"):
        visitor.post("/count", json={"name": name})
    visitor.post("/fail", 500, json={"why": "that was too much"})
    task = visitor.post("/slowly/submit", json={"name": "ann"}).json()["task_id"]
    time.sleep(0.5)
    visitor.get(f"/slowly/status?task_id={task}")
    visitor.get(f"/slowly/get?task_id={task}")
    visitor.get("/slowly/status?task_id=nothing", 404)
    visitor.get("/metrics")
    visitor.get("/nowhere", 404)
    visitor.get("/summarise", 405)
    visitor.post("/history", json={})


APP = Application(
    name="bentoml_service",
    framework="Starlette",
    uses=("SQLite", "HTTP", "files", "threads", "tasks"),
    packages=("bentoml==1.4.40",),
    server=("bentoml", "serve", "--host", "127.0.0.1", "-p", "{port}", "service:Summaries"),
    environment={
        "CORPUS_STATE": "{state}",
        "BENTOML_HOME": "{state}/bento",
        "BENTOML_DO_NOT_TRACK": "True",
        "ORIGIN": "{origin}",
    },
    origin=Words,
    drive=drive,
)
