"""httpx2, HTTP/2, server-sent events, and transports that are the application's own."""

from __future__ import annotations

import asyncio
import importlib
import random
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from hypercorn.asyncio import serve
from hypercorn.config import Config

from tests.http_origin import origin
from tests.recorded import assert_identical, record_asgi, record_wsgi
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

LIBRARIES = ["httpx", "httpx2"]
PATHS = ["json", "redirect", "gzip", "chunked", "error"]


@asynccontextmanager
async def http2_shop() -> AsyncIterator[str]:
    """Yield the address of a server that speaks HTTP/2, by prior knowledge."""
    app = FastAPI()

    @app.get("/quote")
    def quote() -> dict[str, float]:
        return {"n": random.random()}

    @app.get("/events")
    def events() -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            for number in range(4):
                yield f"event: tick\nid: {number}\ndata: {random.random()}\n\n"
                await asyncio.sleep(0.001)

        return StreamingResponse(parts(), media_type="text/event-stream")

    config = Config()
    listening = socket.create_server(("127.0.0.1", 0))
    config.bind = [f"fd://{listening.fileno()}"]
    config.accesslog = config.errorlog = None
    stop = asyncio.Event()
    server = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))  # type: ignore[arg-type]
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    stop.set()
    await server  # closes the socket
    listening.detach()


@pytest.mark.parametrize("library", LIBRARIES)
def test_http2_comes_back(recordings: Path, library: str) -> None:
    """One connection for ten exchanges at once, and a stream of events line by line."""
    httpx: Any = importlib.import_module(library)
    with served(http2_shop()) as base:

        async def handler() -> dict[str, Any]:
            async with httpx.AsyncClient(http1=False, http2=True) as client:
                answers = await asyncio.gather(*(client.get(f"{base}/quote") for _ in range(10)))
                async with client.stream("GET", f"{base}/events") as streamed:
                    lines = [line async for line in streamed.aiter_lines()]
            return {
                "versions": sorted({answer.http_version for answer in answers}),
                "quotes": [answer.json() for answer in answers],
                "lines": lines,
            }

        app, recording = record_asgi(recordings, handler, tasks=10)
    assert recording.response is not None
    assert b'"versions":["HTTP/2"]' in b"".join(recording.response.body)
    assert_identical(recording, app)


def test_httpx2_comes_back(recordings: Path) -> None:
    """Redirects, decoding, chunks, an upload, an error status and a timeout."""
    client = httpx2.Client(follow_redirects=True, timeout=0.3)
    with origin() as (base, _):

        def view() -> dict[str, Any]:
            found = {path: client.get(f"{base}/{path}").text for path in PATHS}
            with client.stream("GET", f"{base}/chunked") as streamed:
                found["streamed"] = "|".join(streamed.iter_text())
            produced = (str(random.random()).encode() for _ in range(2))
            with pytest.raises(httpx2.TimeoutException) as raised:
                client.get(f"{base}/hang")
            found["failed"] = type(raised.value).__name__
            found["posted"] = client.post(base, content=b"".join(produced)).text
            return found

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None and recording.response.status == 200
    kinds = {event.kind for event in recording.lanes[0].events}
    assert {"httpx2.request", "httpx2.chunk", "httpx2.close"} <= kinds
    assert_identical(recording, app)


@pytest.mark.parametrize("library", LIBRARIES)
def test_transports_of_the_application_stay_its_code(recordings: Path, library: str) -> None:
    """An ASGI application called in memory, or a function: nothing of it is an event."""
    httpx: Any = importlib.import_module(library)
    inner = FastAPI()

    @inner.get("/")
    async def inside() -> dict[str, float]:
        return {"drawn": random.random()}

    async def handler() -> list[Any]:
        mock = httpx.MockTransport(lambda _: httpx.Response(200, json=random.random()))
        async with (
            httpx.AsyncClient(transport=httpx.ASGITransport(inner), base_url="http://in") as first,
            httpx.AsyncClient(transport=mock) as second,
        ):
            return [(await first.get("/")).json(), (await second.get("http://x/")).json()]

    app, recording = record_asgi(recordings, handler)
    assert recording.response is not None and recording.response.status == 200
    kinds = [event.kind for lane in recording.lanes for event in lane.events]
    assert not [kind for kind in kinds if kind.startswith("httpx")]
    assert_identical(recording, app)
