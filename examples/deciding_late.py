"""Deciding late: who asks is known only after the application's own authentication.

    python examples/deciding_late.py

The request is recorded provisionally. `LateDecisionMiddleware` stands behind the
authentication and tells the flag who the user is; a "no" drops what there is, with nothing
written. A handler may do the same by `retrace_mw.decide_late(user=...)`.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from retrace_core import load, writer
from retrace_mw import Late, LateDecisionMiddleware, RetraceMiddleware
from retrace_mw.deciders import FileFlag

FLAGS = """
[flags.record-request]
variation = "off"
targets = { full = ["alice"] }
"""
TOKENS = {"token-1": "alice", "token-2": "bob"}


class Tokens(AuthenticationBackend):
    """Know a user by a token."""

    async def authenticate(self, conn: Any) -> Any:
        """Return who has the token."""
        name = TOKENS.get(conn.headers.get("authorization", ""))
        return name and (AuthCredentials(["authenticated"]), SimpleUser(name))


async def index(request: Any) -> PlainTextResponse:
    """Answer."""
    return PlainTextResponse(f"hello {request.user.display_name}")


async def request_each(app: Any) -> None:
    """Send a request with each token, and one without."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as browser:
        for token in (*TOKENS, "unknown"):
            print((await browser.get("/", headers={"Authorization": token})).text)


def main() -> None:
    """Build the application, send requests, and print who was recorded."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "flags.toml")
        file.write_text(FLAGS)
        recordings = Path(folder, "recordings")
        decide = Late(FileFlag("record-request", path=file, context="facts:user"))
        app = Starlette(
            routes=[Route("/", index)],
            middleware=[
                Middleware(
                    RetraceMiddleware,
                    decide=decide,
                    service="shop",
                    enabled=True,
                    recording_path=recordings,
                ),
                Middleware(AuthenticationMiddleware, backend=Tokens()),
                Middleware(
                    LateDecisionMiddleware,
                    facts=lambda request: {"user": request.source["user"].display_name or None},
                ),
            ],
        )
        asyncio.run(request_each(app))
        writer.flush()
        (recorded,) = (load(one) for one in recordings.glob("*/*/trace.bin"))
        assert recorded.response is not None
        print("recorded:", b"".join(recorded.response.body).decode())
        print("because", recorded.header.decision.reason)


if __name__ == "__main__":
    main()
