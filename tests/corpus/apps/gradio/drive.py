"""Gradio: functions with a page and an API around them (FastAPI, a queue, server-sent events)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor


def drive(visitor: Visitor) -> None:
    """Open the page, call functions as its page and as its client do, upload and download."""
    api = "/gradio_api"

    def call(name: str, *given: Any) -> None:
        made = visitor.post(f"{api}/call/{name}", json={"data": list(given)}).json()
        visitor.get(f"{api}/call/{name}/{made['event_id']}")

    def join(function: int, session: str, *given: Any) -> None:
        asked = {"data": list(given), "fn_index": function, "session_hash": session}
        visitor.post(f"{api}/queue/join", json=asked)
        visitor.get(f"{api}/queue/data?session_hash={session}")

    visitor.get("/")
    visitor.get("/config")
    visitor.get(f"{api}/info")
    visitor.get(f"{api}/info?serialize=true")
    visitor.get("/theme.css")
    visitor.get("/manifest.json")
    visitor.get("/robots.txt")
    call("greet", "Zoë", 3)
    call("greet", "", 1)
    call("count", 4)
    join(0, "first", "Ada", 1)
    join(1, "second", 3)
    join(3, "third", "lemon", None)
    join(3, "third", "melon", None)
    sent = {"files": ("notes.txt", b"some notes of mine", "text/plain")}
    path = visitor.post(f"{api}/upload", files=sent).json()[0]
    uploaded = {"path": path, "orig_name": "notes.txt", "meta": {"_type": "gradio.FileData"}}
    call("measure", uploaded)
    visitor.get(f"{api}/file={path}")
    visitor.get(f"{api}/file=/etc/passwd", 403)
    visitor.post(f"{api}/run/rows", json={"data": [{"headers": ["a"], "data": [["1"], ["2"]]}]})
    visitor.post(f"{api}/queue/join", 400, 404, 422, 500, json={"data": []})
    visitor.get("/assets/absent.js", 404)
    visitor.get("/nowhere", 404)
    visitor.post(f"{api}/run/absent", 500, json={"data": []})


APP = Application(
    name="gradio",
    framework="FastAPI",
    uses=("files", "tasks", "threads"),
    packages=("gradio==6.31.0", "uvicorn==0.54.0"),
    server=("uvicorn", "--port", "{port}", "app:application"),
    environment={"GRADIO_TEMP_DIR": "{state}/temp", "GRADIO_ANALYTICS_ENABLED": "False"},
    drive=drive,
)
