"""A server of tools for language models (MCP over streamable HTTP, Starlette)."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor

ACCEPTS = {"Accept": "application/json, text/event-stream"}
CLIENT = {"name": "assistant", "version": "1.0"}


class Weather(BaseHTTPRequestHandler):
    """Tells the weather of cities that it knows."""

    def do_GET(self) -> None:
        city = parse_qs(urlsplit(self.path).query).get("city", [""])[0]
        degrees = {"Oslo": 4, "Rome": 17, "Lima": 21}.get(city)
        body = json.dumps({"city": city, "degrees": degrees}).encode()
        self.send_response(200 if degrees is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Session:
    """What a client keeps of its conversation."""

    def __init__(self, visitor: Visitor, version: str) -> None:
        self._visitor = visitor
        self._number = 0
        self.headers = dict(ACCEPTS)
        hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT}
        answer = self.call("initialize", **hello)
        self.headers |= {
            "Mcp-Session-Id": answer.headers["mcp-session-id"],
            "MCP-Protocol-Version": version,
        }
        said = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        visitor.post("/mcp", 202, headers=self.headers, json=said)

    def call(self, method: str, *expect: int, **params: Any) -> Any:
        self._number += 1
        said = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        return self._visitor.post("/mcp", *expect, headers=self.headers, json=said)

    def tool(self, name: str, **arguments: Any) -> Any:
        """Call a tool; return what it said."""
        text = self.call("tools/call", name=name, arguments=arguments).text
        said = [line[6:] for line in text.splitlines() if line.startswith("data: {")]
        return json.loads(said[-1])


def drive(visitor: Visitor) -> None:
    """Two assistants get to know the tools and use them, rightly and wrongly."""
    visitor.get("/health")
    visitor.post("/mcp", 400, 406, json={"jsonrpc": "2.0"})
    visitor.post("/mcp", 400, headers=ACCEPTS, content=b"{nonsense")
    session = Session(visitor, "2025-06-18")
    session.call("tools/list")
    session.call("resources/list")
    session.call("resources/templates/list")
    session.call("prompts/list")
    made = session.tool("add_note", title="Shopping", body="Lemons, plums")
    session.tool("add_note", title="Call", body="Ring ann@example.com at +47 22 12 34 56")
    session.tool("add_note", body="without a title")
    session.tool("find_notes", words="plum")
    session.tool("find_notes", words="nothing of the kind")
    session.tool("weather", city="Oslo")
    session.tool("weather", city="Atlantis")
    session.tool("unknown", city="Oslo")
    session.call(
        "tools/call",
        name="compare",
        arguments={"cities": ["Oslo", "Rome", "Lima"]},
        _meta={"progressToken": "p1"},
    )
    session.tool("export")
    session.call("resources/read", uri="notes://all")
    number = made["result"]["structuredContent"]["id"]
    session.call("resources/read", uri=f"notes://{number}/body")
    session.call("resources/read", uri="notes://0/body")
    session.call("prompts/get", name="summarise", arguments={"title": "Shopping"})
    session.call("nonsense")
    session.call("ping")
    other = Session(visitor, "2025-03-26")
    other.tool("find_notes", words="Lemons")
    session.tool("weather", city="Rome")
    visitor.delete("/mcp", headers=other.headers)
    other.call("ping", 404)
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": CLIENT,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    for number, (method, params) in enumerate(
        [
            ("tools/list", {}),
            ("tools/call", {"name": "weather", "arguments": {"city": "Lima"}}),
            ("tools/call", {"name": "find_notes", "arguments": {"words": "a"}}),
            ("resources/read", {"uri": "notes://all"}),
        ]
    ):
        named = {"Mcp-Name": str(params.get("name") or params.get("uri") or "")}
        visitor.post(
            "/mcp",
            headers={
                **ACCEPTS,
                "MCP-Protocol-Version": "2026-07-28",
                "Mcp-Method": method,
                **({key: value for key, value in named.items() if value}),
            },
            json={
                "jsonrpc": "2.0",
                "id": number,
                "method": method,
                "params": {**params, "_meta": meta},
            },
        )
    visitor.get("/nothing", 404)


APP = Application(
    name="mcp_server",
    framework="Starlette",
    uses=("SQLite", "HTTP", "files", "tasks", "threads"),
    packages=("mcp==2.3.0", "httpx==0.28.1", "uvicorn==0.54.0"),
    server=("uvicorn", "--port", "{port}", "app:app"),
    environment={"CORPUS_STATE": "{state}", "CORPUS_ORIGIN": "{origin}"},
    origin=Weather,
    drive=drive,
)
