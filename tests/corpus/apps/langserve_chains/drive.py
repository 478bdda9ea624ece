"""LangServe: chains of LangChain, called, batched and streamed (FastAPI, threads)."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor


class Words(BaseHTTPRequestHandler):
    """Finds some words."""

    def do_GET(self) -> None:
        """Answer."""
        body = json.dumps({"found": f"{self.path} is {len(self.path)} long"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None:
        """Say nothing."""


def drive(visitor: Visitor) -> None:
    """Look at the chains, call them one by one, in batches, as streams; make mistakes too."""
    visitor.get("/docs")
    visitor.get("/openapi.json")
    visitor.get("/ask/input_schema")
    visitor.get("/ask/playground/", 200, 404)

    def ask(chain: str, how: str, given: Any, *expect: int, **more: Any) -> None:
        # A server closes the connection after a failure.
        closing = {"Connection": "close"} if 500 in expect else {}
        visitor.post(f"/{chain}/{how}", *expect, headers=closing, json={"input": given, **more})

    question = {"topic": "apples", "question": "are they red?"}
    ask("ask", "invoke", question)
    ask("ask", "invoke", {"topic": "apples"}, 422, 500, 400)
    ask("ask", "invoke", question, config={"tags": ["one"], "metadata": {"a": 1}})
    visitor.post("/ask/batch", json={"inputs": [question, {**question, "topic": "pears"}]})
    ask("ask", "stream", question)
    ask("ask", "stream_log", question)
    ask("ask", "stream_events", question)
    for text in ("an apple", "a pear"):
        ask("note", "invoke", text)
    visitor.post("/note/batch", json={"inputs": ["one", "two", "three"]})
    ask("note", "stream", "once more")
    ask("look_up", "invoke", "plum")
    visitor.post("/look_up/batch", json={"inputs": ["fig", "quince"]})
    ask("look_up", "stream", "fig")
    ask("both", "invoke", "medlar")
    ask("both", "stream", "medlar")
    ask("both", "stream_events", "medlar")
    ask("documents", "invoke", "what is red?")
    ask("documents", "stream", "what is blue?")
    ask("talk", "invoke", {"words": "hello"}, config={"configurable": {"session_id": "a"}})
    ask("talk", "invoke", {"words": "again"}, config={"configurable": {"session_id": "a"}})
    ask("talk", "stream", {"words": "and more"}, config={"configurable": {"session_id": "b"}})
    ask("talk", "invoke", {"words": "nobody"}, 422, 500)
    ask("note", "invoke", 7, 422)
    visitor.post("/note/invoke", 422, content=b"{")
    visitor.get("/nowhere", 404)
    ask("fail", "invoke", "bread", 500)


APP = Application(
    name="langserve_chains",
    framework="FastAPI",
    uses=("HTTP", "files", "threads", "tasks"),
    packages=("langserve[server]==0.3.3", "numpy==2.3.5", "uvicorn==0.54.0"),
    server=("uvicorn", "--port", "{port}", "app:app"),
    environment={"CORPUS_STATE": "{state}", "ORIGIN": "{origin}", "LANGSMITH_TRACING": "false"},
    origin=Words,
    drive=drive,
)
