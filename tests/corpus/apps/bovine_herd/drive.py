"""bovine_herd: a Fediverse server (Quart, Tortoise on aiosqlite, aiohttp, background tasks)."""

from __future__ import annotations

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

REGISTER = """
import asyncio, sys
from tortoise import Tortoise
from bovine_store import bovine_admin_store
from bovine_store.types import EndpointType

async def main(base, url):
    async with bovine_admin_store(url, domain=base) as store:
        await Tortoise.generate_schemas()
        for name in ("ann", "bob"):
            ends = {one: f"{base}/endpoints/{name}-{one.value.lower()}" for one in EndpointType}
            made = await store.register(name, endpoints=ends)
            await store.set_properties_for_actor(made, {"name": name.title()})

asyncio.run(main(*sys.argv[1:]))
"""
CONTEXT = "https://www.w3.org/ns/activitystreams"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


class Remote(BaseHTTPRequestHandler):
    """Another server of the Fediverse, with one actor and one note."""

    protocol_version = "HTTP/1.1"

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/activity+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Answer with the actor, the note, or nothing."""
        base = f"http://{self.headers['Host']}"
        actor = f"{base}/zoe"
        if self.path == "/zoe":
            about = {"type": "Person", "id": actor, "inbox": f"{base}/inbox", "name": "Zoë"}
            self._answer(200, {"@context": CONTEXT, "outbox": f"{base}/outbox", **about})
        elif self.path.startswith("/note"):
            note = {"type": "Note", "id": base + self.path, "content": "Far away"}
            self._answer(200, {"@context": CONTEXT, "attributedTo": actor, "to": [PUBLIC], **note})
        else:
            self._answer(404, {"status": "not found"})

    def do_POST(self) -> None:
        """Take what arrives in the inbox."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._answer(202, {"status": "processing"})

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def prepare(place: Place) -> None:
    """Register two people."""
    base = place.fill("http://127.0.0.1:{port}")
    place.run("python", "-c", REGISTER, base, "sqlite://{state}/bovine.sqlite3")


def drive(visitor: Visitor) -> None:
    """Look people up, post, follow, like, receive, fetch from elsewhere."""
    ann = f"{visitor.base}/endpoints/ann-actor"
    zoe = f"{visitor.origin}/zoe"
    as_json = {"Accept": "application/activity+json"}
    host = visitor.base.removeprefix("http://")

    def look(path: str, *expect: int, who: str = ann) -> Any:
        path = path.removeprefix(visitor.base)
        return visitor.get(path, *expect, headers={**as_json, "X-Cattle-Grid-Requester": who})

    def send(path: str, what: dict[str, Any], *expect: int, who: str = ann) -> Any:
        body = json.dumps({"@context": CONTEXT, **what}).encode()
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        headers = {
            "X-Cattle-Grid-Requester": who,
            "Digest": f"sha-256={digest}",
            "Content-Type": "application/activity+json",
        }
        return visitor.post(path, *expect, content=body, headers=headers)

    visitor.get("/.well-known/nodeinfo")
    visitor.get("/activitypub/nodeinfo2_0")
    visitor.get("/activitypub/bovine")
    visitor.get("/activitypub/nobody", 404)
    visitor.get(f"/.well-known/webfinger?resource=acct:ann@{host}")
    visitor.get(f"/.well-known/webfinger?resource=acct:nobody@{host}", 404)
    visitor.get("/.well-known/webfinger", 400)
    look("/endpoints/ann-actor")
    look("/endpoints/ann-actor", who=zoe)
    visitor.get("/endpoints/ann-actor", 401, headers=as_json)
    visitor.get("/endpoints/nobody", 404)
    outbox = "/endpoints/ann-outbox"
    note = {"type": "Note", "content": "Moo", "attributedTo": ann, "to": [PUBLIC]}
    create = {"type": "Create", "actor": ann, "to": [PUBLIC], "object": note}
    made = send(outbox, create, 201).headers["Location"]
    look(made)
    look(made, who=zoe)
    visitor.get(made.removeprefix(visitor.base), 401)
    direct = {**create, "to": [zoe], "object": {**note, "to": [zoe]}}
    send(outbox, direct, 201)
    send(outbox, {"type": "Follow", "actor": ann, "to": [zoe], "object": zoe}, 201)
    send(outbox, create, 401, who=zoe)
    visitor.post(outbox, 401, json=create, headers={"X-Cattle-Grid-Requester": ann})
    inbox = "/endpoints/ann-inbox"
    like = {"type": "Like", "id": f"{zoe}/like1", "actor": zoe, "to": [ann], "object": made}
    send(inbox, like, 202, who=zoe)
    hello = {
        "type": "Note",
        "id": f"{zoe}/note1",
        "attributedTo": zoe,
        "content": "Hi",
        "to": [ann],
    }
    arrives = {"type": "Create", "id": f"{zoe}/create1", "actor": zoe, "to": [ann], "object": hello}
    send(inbox, arrives, 202, who=zoe)
    follow = {"type": "Follow", "id": f"{zoe}/follow1", "actor": zoe, "to": [ann], "object": ann}
    send(inbox, follow, 202, who=zoe)
    for name in ("inbox", "outbox", "followers", "following"):
        look(f"/endpoints/ann-{name}")
    look(f"{outbox}?first=1")
    who = {"X-Cattle-Grid-Requester": ann}

    def fetch(what: str, *expect: int) -> None:
        body = f"id={what}".encode()
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        headers = {
            **who,
            "Digest": f"sha-256={digest}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        visitor.post("/endpoints/ann-proxy_url", *expect, content=body, headers=headers)

    fetch(f"{visitor.origin}/note/1", 200, 400, 404)
    fetch(f"{visitor.origin}/absent", 200, 400, 404)
    delete = {"type": "Delete", "actor": ann, "to": [PUBLIC], "object": made}
    send(outbox, delete, 201)
    look(made, 200, 404, 410)


APP = Application(
    name="bovine_herd",
    framework="Quart",
    uses=("SQLite", "HTTP", "tasks"),
    packages=("bovine-herd==0.5.19", "quart==0.19.9", "uvicorn==0.35.0"),
    server=("uvicorn", "--port", "{port}", "--app-dir", "{here}", "app:app"),
    starts_in_state=True,
    environment={"CORPUS_STATE": "{state}"},
    origin=Remote,
    prepare=prepare,
    drive=drive,
)
