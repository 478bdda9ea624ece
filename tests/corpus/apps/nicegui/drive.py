"""NiceGUI: pages made in Python (FastAPI; what is stored for each visitor lies in files)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor


def drive(visitor: Visitor) -> None:
    """Look at pages, add notes, take one away; ask for scripts and styles as a browser does."""
    page = visitor.get("/").text
    visitor.get("/")
    visitor.get("/notes")
    files = {"file": ("first.txt", b"some words in a note\n" * 20, "text/plain")}
    visitor.post("/api/notes", files=files)
    files = {"file": ("second.txt", "Grüße aus Köln\n".encode(), "text/plain")}
    visitor.post("/api/notes", files=files)
    visitor.post("/api/notes", 422, data={"file": "none"})
    visitor.get("/notes", headers={"X-Title": "All of them"})
    visitor.get("/notes?q=second")
    visitor.get("/note/first.txt")
    visitor.get("/note/absent.txt", 404)
    visitor.get("/files/first.txt")
    part = visitor.get("/files/first.txt", 206, headers={"Range": "bytes=5-9"})
    visitor.get("/files/first.txt", 304, headers={"If-None-Match": part.headers["ETag"]})
    visitor.get("/files/absent.txt", 404)
    visitor.put("/api/preferences", json={"dark": True})
    visitor.put("/api/preferences", 422, json={"dark": "very"})
    visitor.put("/api/preferences", 500, content=b"{", headers={"Connection": "close"})
    visitor.get("/")
    assets = re.findall(r"""["'](/_nicegui/[^"']+\.(?:js|css))["']""", page)
    for asset in list(dict.fromkeys(assets))[:6]:
        visitor.get(asset)
    visitor.get("/_nicegui/nothing.js", 404)
    visitor.get("/favicon.ico", 200, 404)
    visitor.get("/openapi.json")
    visitor.get("/docs")
    opened = visitor.get("/_nicegui_ws/socket.io/?EIO=4&transport=polling", 200, 400)
    del opened
    visitor.delete("/api/notes/second.txt")
    visitor.delete("/api/notes/second.txt", 404)
    visitor.get("/notes")
    visitor.cookies.clear()
    visitor.get("/")
    visitor.get("/nowhere", 404)


APP = Application(
    name="nicegui",
    framework="FastAPI",
    uses=("files", "threads", "tasks"),
    packages=("nicegui==3.18.0", "uvicorn==0.54.0"),
    server=("uvicorn", "--port", "{port}", "app:api"),
    environment={
        "CORPUS_STATE": "{state}",
        "NICEGUI_STORAGE_PATH": "{state}/storage",
    },
    drive=drive,
)
