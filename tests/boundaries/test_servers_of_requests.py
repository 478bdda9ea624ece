"""Servers that a request begins: who connected to them is there again, and nobody else is."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.boundaries.test_own_sockets import HOST, TRUSTING, TlsServer
from tests.boundaries.test_own_transports import LineClient
from tests.recorded import assert_identical, identical_body, record_asgi

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("on_either_loop")


def replayed(recordings: Path, view: Callable[[], Awaitable[Any]]) -> bytes:
    """Record a handler, replay it, and return the body."""

    async def handle() -> Any:
        return await view()

    app, recording = record_asgi(recordings, handle, tasks=4)
    assert recording.holes == []
    return identical_body(recording, app)


@pytest.mark.parametrize("tls", [False, True])
def test_the_request_is_its_own_client(recordings: Path, tls: bool) -> None:
    """Both ends are recorded; several connect, one after another."""

    async def view() -> list[str]:
        said: list[str] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                said.append(f"heard {line!r}")
                writer.write(line.upper())
            writer.close()

        options = {"ssl": TlsServer.context} if tls else {}
        server = await asyncio.start_server(answer, HOST, 0, **options)
        port = server.sockets[0].getsockname()[1]
        assert server.is_serving()
        for word in (b"hello\n", b"again\n"):
            reader, writer = await asyncio.open_connection(
                HOST, port, **({"ssl": TRUSTING} if tls else {})
            )
            writer.write(word)
            said.append(f"told {await reader.readline()!r}")
            writer.close()
        server.close()
        return [str(port), *said]

    body = replayed(recordings, view)
    assert b"heard b'hello" in body and b"told b'AGAIN" in body


def test_another_calls_back(recordings: Path) -> None:
    """A thread of nobody's, to a protocol of the application's own."""

    def call(port: int) -> None:
        with socket.create_connection((HOST, port)) as connection:
            connection.sendall(b"code=17\n")
            connection.recv(100)

    async def view() -> list[str]:
        loop = asyncio.get_running_loop()
        called: asyncio.Future[LineClient] = loop.create_future()

        class Waiting(LineClient):
            def data_received(self, data: bytes) -> None:
                super().data_received(data)
                self.transport.write(b"thanks\n")
                called.set_result(self)

        async with await loop.create_server(Waiting, HOST, 0) as server:
            threads.append(threading.Thread(target=call, args=server.sockets[0].getsockname()[1:]))
            with mask():
                if recording_now:
                    threads[-1].start()
            client = await called
        await client.lost
        return client.told

    from retrace_core.lanes import mask

    threads, recording_now = list[threading.Thread](), [True]

    async def handle() -> Any:
        return await view()

    app, recording = record_asgi(recordings, handle, tasks=4)
    recording_now.clear()
    threads[0].join()
    assert recording.response is not None and recording.response.status == 200, recording.failure
    assert b"code=17" in b"".join(recording.response.body)
    assert_identical(recording, app)
