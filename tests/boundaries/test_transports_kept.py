"""What is kept of asyncio's connections: nothing twice, and not without end."""

from __future__ import annotations

import asyncio
import http.server
import socketserver
from typing import TYPE_CHECKING

import aiohttp
import httpx

from retrace_core.sockets.own_transport import hearing
from tests.boundaries.test_own_sockets import Lines, serving
from tests.boundaries.test_own_transports import LineClient
from tests.recorded import assert_identical, record_asgi

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Page(http.server.BaseHTTPRequestHandler):
    """Has one page."""

    def do_GET(self) -> None:
        """Send it."""
        self.send_response(200)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def test_what_a_boundary_stands_above_is_recorded_once(recordings: Path) -> None:
    """httpx asks anyio for its connections; aiohttp its loop."""
    with serving(http.server.ThreadingHTTPServer, Page) as (host, port):

        async def handle() -> list[str]:
            url = f"http://{host}:{port}/"
            async with httpx.AsyncClient() as client, aiohttp.ClientSession() as session:
                async with session.get(url) as answer:
                    return [(await client.get(url)).text, await answer.text()]

        app, recording = record_asgi(recordings, handle, tasks=4)
    kinds = {event.kind for lane in recording.lanes for event in lane.events}
    assert not [kind for kind in kinds if kind.startswith("transport.")]
    assert any(kind.startswith("httpx.") for kind in kinds)
    assert_identical(recording, app)


def test_what_opens_a_connection_is_awaited_by_a_task(recordings: Path) -> None:
    """As `asyncio.wait_for` has it: it is told in the lane of the task."""
    with serving(socketserver.ThreadingTCPServer, Lines) as address:

        async def handle() -> str:
            opens = asyncio.get_running_loop().create_connection(LineClient, *address)
            _, client = await asyncio.create_task(opens)
            said = repr(await client.ask(b"hello\n"))
            client.transport.close()
            return said

        app, recording = record_asgi(recordings, handle, tasks=4)
    assert_identical(recording, app)


def test_what_is_told_too_often_is_cut(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request goes on, and its recording says that there was more."""
    monkeypatch.setattr(hearing, "_MOST", 5)
    with serving(socketserver.ThreadingTCPServer, Lines) as address:

        async def handle() -> list[str]:
            loop = asyncio.get_running_loop()
            _, client = await loop.create_connection(LineClient, *address)
            said = [repr(await client.ask(b"%d\n" % turn)) for turn in range(20)]
            client.transport.close()
            return said

        _, recording = record_asgi(recordings, handle, tasks=4)
    assert recording.response is not None and recording.response.status == 200
    assert recording.header.cut
