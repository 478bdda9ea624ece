"""websockets' clients, asyncio and sync: messages come back, and how a channel ended."""

from __future__ import annotations

import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.sync.client import connect as connect_sync
from websockets.typing import Subprotocol

from tests.recorded import assert_identical, record_asgi, record_wsgi
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CHAT = [Subprotocol("chat")]


@asynccontextmanager
async def echo() -> AsyncIterator[str]:
    """Yield the address of a server that echoes, and closes when told; /no refuses."""

    async def handle(connection: ServerConnection) -> None:
        async for message in connection:
            if message == "end":
                await connection.close(1000, f"over {random.random()}")
            elif message == "fail":
                await connection.close(4001, "failed")
            elif message == "headers":
                assert connection.request is not None
                await connection.send(str(dict(connection.request.headers.raw_items())))
            else:
                await connection.send(f"{message!r} {random.random()}")
                await connection.send(random.randbytes(3))

    def answer(connection: ServerConnection, request: Any) -> Any:
        return connection.respond(403, "no\n") if request.path == "/no" else None

    async with serve(handle, "127.0.0.1", 0, subprotocols=CHAT, process_request=answer) as it:
        yield f"ws://127.0.0.1:{next(iter(it.sockets)).getsockname()[1]}"


def test_the_asyncio_client_comes_back(recordings: Path) -> None:
    """Text and bytes, iteration to the end, an early close, a refusal, and nobody there."""
    with served(echo()) as base:

        async def handler() -> dict[str, Any]:
            found: dict[str, Any] = {}
            async with connect(base, subprotocols=CHAT) as channel:
                found["protocol"] = channel.subprotocol
                await channel.send("one")
                found["one"] = [await channel.recv(), (await channel.recv()).hex()]  # type: ignore[union-attr]
                await channel.send(b"two")
                await channel.send("end")
                found["rest"] = [str(message) async for message in channel]
                found["closed"] = [channel.close_code, channel.close_reason]
            async with connect(base, subprotocols=CHAT) as channel:
                await channel.send("fail")
                try:
                    await channel.recv()
                except websockets.ConnectionClosedError as error:
                    found["failed"] = [str(error), error.rcvd.code if error.rcvd else None]
            try:
                await connect(f"{base}/no")
            except websockets.InvalidStatus as error:
                found["refused"] = [error.response.status_code, str(error.response.body)]
            try:
                await connect("ws://127.0.0.1:9")
            except OSError as error:
                found["gone"] = type(error).__name__
            return found

        app, recording = record_asgi(recordings, handler)
    assert recording.response is not None and recording.response.status == 200
    assert [lane.id for lane in recording.lanes] == ["0"]
    assert_identical(recording, app)


def test_the_sync_client_comes_back(recordings: Path) -> None:
    """The same, and a wait that was too short."""
    with served(echo()) as base:

        def view() -> dict[str, Any]:
            found: dict[str, Any] = {}
            with connect_sync(base, subprotocols=CHAT) as channel:
                found["protocol"] = channel.subprotocol
                channel.send("one")
                found["one"] = [channel.recv(), channel.recv().hex()]  # type: ignore[union-attr]
                try:
                    channel.recv(timeout=0.01)
                except TimeoutError as error:
                    found["late"] = str(error)
                channel.send("end")
                found["rest"] = [str(message) for message in channel]
                found["closed"] = [channel.close_code, channel.close_reason]
            with connect_sync(base, subprotocols=CHAT) as channel:
                channel.send("fail")
                try:
                    channel.recv()
                except websockets.ConnectionClosedError as error:
                    found["failed"] = str(error)
            try:
                with connect_sync(f"{base}/no"):
                    pass
            except websockets.InvalidStatus as error:
                found["refused"] = error.response.status_code
            return found

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None and recording.response.status == 200
    assert [lane.id for lane in recording.lanes] == ["0"]
    assert_identical(recording, app)


def test_the_trace_is_sent_along(recordings: Path) -> None:
    """The handshake carries X-Trace-ID."""
    with served(echo()) as base:

        async def handler() -> str:
            async with connect(base, subprotocols=CHAT) as channel:
                await channel.send("headers")
                return str(await channel.recv())

        app, recording = record_asgi(recordings, handler)
    assert recording.response is not None
    assert recording.header.trace_id in b"".join(recording.response.body).decode()
    assert_identical(recording, app)
