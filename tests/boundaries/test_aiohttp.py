"""aiohttp's client: exchanges, streams, sockets and failures come back."""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from tests.http_origin import origin
from tests.recorded import assert_identical, identical_body, record_asgi
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PATHS = ["json", "redirect", "gzip", "chunked", "error"]


@asynccontextmanager
async def shop() -> AsyncIterator[str]:
    """Yield the address of an aiohttp server with cookies, parts, lines and a WebSocket."""

    async def cookies(request: web.Request) -> web.Response:
        answer = web.json_response({"sent": dict(request.cookies), "n": random.random()})
        answer.set_cookie("visit", str(random.random()))
        return answer

    async def sink(request: web.Request) -> web.Response:
        return web.json_response({"sent": len(await request.read()), "n": random.random()})

    async def echo(request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse(protocols=["chat"])
        await answer.prepare(request)
        async for message in answer:
            if message.data == "end":
                await answer.close(code=4001, message=b"over")
            else:
                await answer.send_str(f"{message.data} {random.random()}")
                await answer.send_bytes(random.randbytes(3))
        return answer

    async def slow_body(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"begun")
        await asyncio.sleep(30)
        return answer

    app = web.Application()
    app.router.add_get("/cookies", cookies)
    app.router.add_post("/sink", sink)
    app.router.add_get("/echo", echo)
    app.router.add_get("/slow-body", slow_body)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def test_exchanges_come_back(recordings: Path) -> None:
    """Redirects, decoding, chunks and an error status; the body read after the call returned."""
    with origin() as (base, _):

        async def handler() -> dict[str, Any]:
            found: dict[str, Any] = {}
            async with aiohttp.ClientSession() as session:
                for path in PATHS:
                    answer = await session.get(f"{base}/{path}")
                    found[path] = [
                        answer.status,
                        answer.reason,
                        str(answer.url),
                        [one.status for one in answer.history],
                        answer.headers.get("Content-Type"),
                        await answer.text(),
                    ]
                    answer.release()
                async with session.post(base, json={"a": 1}) as posted:
                    found["posted"] = await posted.json(content_type=None)
            return found

        app, recording = record_asgi(recordings, handler)
    identical_body(recording, app)


def test_bodies_read_in_each_way_come_back(recordings: Path) -> None:
    """By lines, pieces, chunks, as they come, exactly, and until a mark."""
    with origin() as (base, _):
        url = f"{base}/chunked"

        async def handler() -> dict[str, Any]:
            found: dict[str, Any] = {}
            async with aiohttp.ClientSession() as session:
                async with session.get(url) as answer:
                    found["lines"] = [line.decode() async for line in answer.content]
                async with session.get(url) as answer:
                    found["chunked"] = [p.hex() async for p in answer.content.iter_chunked(7)]
                async with session.get(url) as answer:
                    found["any"] = [part.hex() async for part in answer.content.iter_any()]
                async with session.get(url) as answer:
                    found["chunks"] = [[p.hex(), e] async for p, e in answer.content.iter_chunks()]
                async with session.get(url) as answer:
                    found["exactly"] = (await answer.content.readexactly(9)).hex()
                    found["until"] = (await answer.content.readuntil(b"\n")).hex()
                    while not answer.content.at_eof():
                        found["rest"] = (await answer.content.readany()).hex()
            return found

        app, recording = record_asgi(recordings, handler)
    identical_body(recording, app)


def test_cookies_and_uploads_come_back(recordings: Path) -> None:
    """A jar fills again; a body that the application produces is produced again, in its lane."""

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0.001)
            yield str(random.random()).encode()

    with served(shop()) as base:

        async def handler() -> dict[str, Any]:
            found: dict[str, Any] = {}
            jar = aiohttp.CookieJar(unsafe=True)
            async with aiohttp.ClientSession(cookie_jar=jar) as session:
                for turn in range(2):
                    async with session.get(f"{base}/cookies") as answer:
                        found[f"{turn}"] = [await answer.json(), answer.cookies["visit"].value]
                data: Any
                for name, data in {
                    "produced": body(),
                    "form": aiohttp.FormData({"a": "b"}),
                    "bytes": b"plain",
                }.items():
                    async with session.post(f"{base}/sink", data=data) as answer:
                        found[name] = await answer.json()
                async with session.post(f"{base}/sink", data=b"later", expect100=True) as answer:
                    found["expected"] = await answer.json()
            return found

        app, recording = record_asgi(recordings, handler)
    assert recording.response is not None and recording.response.status == 200
    assert [lane.id for lane in recording.lanes] == ["0", "0.0"]
    assert_identical(recording, app)


def test_trace_callbacks_are_called_again(recordings: Path) -> None:
    """With the signals that they got: whether a connection was made or was in the pool."""
    with served(shop()) as base:

        async def handler() -> list[str]:
            heard: list[str] = []
            config = aiohttp.TraceConfig()
            for name in (
                "request_start request_end connection_create_start connection_create_end"
                " connection_reuseconn request_headers_sent response_chunk_received"
                " request_chunk_sent"
            ).split():

                async def hear(*_: Any, name: str = name) -> None:
                    heard.append(f"{name} {random.random()}")

                getattr(config, f"on_{name}").append(hear)
            async with aiohttp.ClientSession(trace_configs=[config]) as session:
                for _ in range(2):
                    async with session.post(f"{base}/sink", data=b"abc") as answer:
                        heard.append(await answer.text())
            return heard

        app, recording = record_asgi(recordings, handler)
    assert recording.response is not None
    assert b"connection_reuseconn" in b"".join(recording.response.body)
    assert_identical(recording, app)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("refused", "ClientConnectorError"),
        ("unknown", "ClientConnectorDNSError"),
        ("error", "ClientResponseError"),
        ("broken", "ClientPayloadError"),
        ("hang", "TimeoutError"),
        ("sock_read", "SocketTimeoutError"),
    ],
)
def test_failures_are_raised_again(recordings: Path, path: str, wanted: str) -> None:
    """A host that is not there, an error status, a torn body, and the timeouts."""
    with origin() as (base, _):
        url = {
            "refused": "http://127.0.0.1:9/",
            "unknown": "http://nobody.invalid/",
            "sock_read": f"{base}/hang",
        }.get(path, f"{base}/{path}")
        timeout = (
            aiohttp.ClientTimeout(sock_read=0.1)
            if path == "sock_read"
            else aiohttp.ClientTimeout(total=0.3 if path == "hang" else 5)
        )

        async def handler() -> dict[str, Any]:
            async with aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session:
                try:
                    async with session.get(url, headers={"Authorization": "secret-1"}) as answer:
                        return {"read": await answer.text()}
                except (aiohttp.ClientError, TimeoutError) as error:
                    found = {"error": type(error).__name__, "text": str(error)}
                    if isinstance(error, aiohttp.ClientConnectorError):
                        found |= {"host": error.host, "cause": type(error.os_error).__name__}
                    if isinstance(error, aiohttp.ClientResponseError):
                        found |= {"url": str(error.request_info.real_url)}
                    return found

        app, recording = record_asgi(recordings, handler)
    assert recording.response is not None
    assert f'"error":"{wanted}"' in b"".join(recording.response.body).decode()
    assert "secret-1" not in str([lane.events for lane in recording.lanes])
    assert_identical(recording, app)


def test_a_connection_that_takes_too_long_times_out_again(recordings: Path) -> None:
    """The total time struck while connecting; replay does not wait for it."""
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(full.getsockname())
    url = f"http://127.0.0.1:{full.getsockname()[1]}/"

    async def handler() -> list[str]:
        found = []
        for timeout in (aiohttp.ClientTimeout(total=0.3), aiohttp.ClientTimeout(connect=0.3)):
            async with aiohttp.ClientSession(timeout=timeout) as session:
                try:
                    await session.get(url)
                except TimeoutError as error:
                    found.append(type(error).__name__)
        return found

    app, recording = record_asgi(recordings, handler)
    for one in (full, *waiting):
        one.close()
    assert recording.response is not None
    assert recording.response.body == [b'["TimeoutError","ConnectionTimeoutError"]']
    assert_identical(recording, app)


def test_a_websocket_comes_back(recordings: Path) -> None:
    """Its handshake, text, bytes, and the code by which the server closed it."""
    with served(shop()) as base:

        async def handler() -> dict[str, Any]:
            found: dict[str, Any] = {}
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(f"{base}/echo", protocols=["chat"]) as channel,
            ):
                found["protocol"] = channel.protocol
                for turn in range(2):
                    await channel.send_str(f"turn {turn}")
                    found[f"{turn}"] = [
                        await channel.receive_str(),
                        (await channel.receive_bytes()).hex(),
                    ]
                await channel.send_str("end")
                found["left"] = [str(message.data) async for message in channel]
                found["code"] = channel.close_code
            return found

        app, recording = record_asgi(recordings, handler)
    assert recording.response is not None
    assert b'"code":4001' in b"".join(recording.response.body)
    assert_identical(recording, app)


def test_exchanges_side_by_side_come_back(recordings: Path) -> None:
    """Twenty at once, through one session that lives on, in the order in which they ended."""
    with origin() as (base, _):

        async def handler() -> list[str]:
            found: list[str] = []

            async def ask(session: aiohttp.ClientSession, number: int) -> None:
                async with session.get(f"{base}/slow{number}") as answer:
                    found.append(f"{number} {await answer.text()}")

            async with aiohttp.ClientSession() as session:
                await asyncio.gather(*(ask(session, number) for number in range(20)))
            return found

        app, recording = record_asgi(recordings, handler, tasks=20)
    identical_body(recording, app)


def test_the_trace_is_sent_along(recordings: Path) -> None:
    """Outgoing calls carry X-Trace-ID and traceparent; what the application set stays."""
    with origin() as (base, _):

        async def handler() -> str:
            async with (
                aiohttp.ClientSession(headers={"TraceParent": "mine"}) as session,
                session.get(f"{base}/json") as answer,
            ):
                return await answer.text()

        app, recording = record_asgi(recordings, handler)
    assert recording.response is not None
    sent = b"".join(recording.response.body).decode().lower()
    assert f'x-trace-id\\": \\"{recording.header.trace_id}' in sent
    assert 'traceparent\\": \\"mine' in sent
    assert_identical(recording, app)
