"""Chainlit: a chat over Socket.IO's polling, with threads kept in SQLite (FastAPI)."""

from __future__ import annotations

import json
import time
import uuid
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor


class Words(BaseHTTPRequestHandler):
    """Finds some words."""

    def do_GET(self) -> None:
        """Answer."""
        body = json.dumps({"found": ["Apples", "are", "red", str(len(self.path))]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None:
        """Say nothing."""


class Talk:
    """A client of Socket.IO that polls."""

    def __init__(self, visitor: Visitor, session: str, **auth: Any) -> None:
        self.visitor = visitor
        self.path = "/ws/socket.io/?EIO=4&transport=polling"
        opened = visitor.get(self.path).text
        self.path += f"&sid={json.loads(opened[1:])['sid']}"
        first = {"sessionId": session, "clientType": "webapp", "userEnv": "{}", **auth}
        self.send(f"40{json.dumps(first)}")
        self.heard = self.hear()

    def send(self, text: str) -> None:
        """Send one packet."""
        headers = {"Content-Type": "text/plain;charset=UTF-8"}
        self.visitor.post(self.path, content=text.encode(), headers=headers)

    def emit(self, event: str, *given: Any) -> None:
        """Send an event."""
        self.send(f"42{json.dumps([event, *given])}")

    def hear(self) -> str:
        """Ask for what was sent."""
        return self.visitor.get(self.path).text

    def until(self, word: str) -> str:
        """Ask until a word comes, or five times."""
        heard = ""
        for _ in range(5):
            time.sleep(0.3)
            heard += self.hear()
            if word in heard:
                return heard
        raise RuntimeError(f"{word!r} did not come: {heard}")


def drive(visitor: Visitor) -> None:
    """Log in, chat, send a file, press a button, look at threads, and take one away."""
    visitor.get("/")
    visitor.get("/auth/config")
    visitor.get("/user", 401)
    visitor.post("/login", 401, data={"username": "ann", "password": "wrong"})
    visitor.post("/login", data={"username": "ann", "password": "Lemon-Tree-17"})
    visitor.get("/user")
    visitor.get("/project/translations?language=en-US")
    visitor.get("/project/settings?language=en-US")
    session = str(uuid.UUID(int=7, version=4))
    talk = Talk(visitor, session)
    talk.emit("connection_successful")
    talk.until("Welcome")

    def said(words: str, *files: Any) -> None:
        message = {
            "id": str(uuid.UUID(int=len(words) + 1, version=4)),
            "name": "ann",
            "type": "user_message",
            "output": words,
            "createdAt": "2026-01-02T03:04:05Z",
        }
        talk.emit("client_message", {"message": message, "fileReferences": list(files)})

    said("Tell me of apples")
    talk.until("task_end")
    file = {"file": ("tree.txt", b"a tree\n" * 50, "text/plain")}
    kept = visitor.post(f"/project/file?session_id={session}", files=file).json()
    visitor.get(f"/project/file/{kept['id']}?session_id={session}")
    said("and of this", kept)
    talk.until("task_end")
    said("break")
    talk.until("too much")
    action = {
        "id": str(uuid.UUID(int=9, version=4)),
        "name": "again",
        "payload": {"words": "once more"},
        "label": "Again",
        "tooltip": "",
        "forId": None,
        "icon": None,
    }
    pressed = {"sessionId": session, "action": action}
    visitor.post("/project/action", json=pressed)
    talk.until("once more")
    listed = {"pagination": {"first": 5}, "filter": {}}
    threads = visitor.post("/project/threads", json=listed).json()["data"]
    thread = threads[0]["id"]
    visitor.get(f"/project/thread/{thread}")
    step = next(one for one in threads[0]["steps"] if one["type"] == "assistant_message")
    feedback = {"forId": step["id"], "value": 1, "comment": "well said", "threadId": thread}
    given = visitor.put("/feedback", json={"feedback": feedback, "sessionId": session}).json()
    visitor.put("/project/thread", json={"threadId": thread, "name": "Of apples"})
    visitor.ask("DELETE", "/feedback", json={"feedbackId": given["feedbackId"]})
    talk.send("1")
    visitor.ask("DELETE", "/project/thread", json={"threadId": thread})
    visitor.get(f"/project/thread/{thread}", 404, 500, headers={"Connection": "close"})
    visitor.post("/logout")
    visitor.get("/user", 401)


def _prepare(place: Place) -> None:
    place.run(str(place.python), str(place.here / "app.py"), "{state}/chat.db")


APP = Application(
    name="chainlit_chat",
    framework="FastAPI",
    uses=("SQLite", "HTTP", "files", "tasks"),
    packages=(
        "chainlit==2.12.0",
        "SQLAlchemy[asyncio]==2.0.44",
        "aiosqlite==0.21.0",
    ),
    server=("chainlit", "run", "--headless", "--port", "{port}", "{here}/app.py"),
    environment={
        "CORPUS_STATE": "{state}",
        "CHAINLIT_APP_ROOT": "{state}",
        "CHAINLIT_AUTH_SECRET": "many-trees-and-one-gate-only-0123456789",
        "ORIGIN": "{origin}",
    },
    starts_in_state=True,
    origin=Words,
    prepare=_prepare,
    drive=drive,
)
