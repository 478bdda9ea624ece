"""Sockets that an event loop watches for who reads and writes by himself, by `add_reader` say."""

from __future__ import annotations

import asyncio
import os
import socket
import socketserver
from typing import TYPE_CHECKING

import httpx
import pytest
import uvloop
from fastapi import FastAPI
from tornado.tcpclient import TCPClient

from retrace_core import installer
from retrace_mw import RetraceMiddleware
from tests.boundaries.test_own_sockets import HOST, Lines, serving
from tests.boundaries.test_own_transports import replayed
from tests.recorded import assert_identical, identical_body, only_recording, record_asgi

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.usefixtures("on_either_loop"),
    pytest.mark.filterwarnings("ignore:.*policy:DeprecationWarning"),
]


class Watching:
    """Reads and writes a socket by itself, when the loop says that it can."""

    def __init__(self) -> None:
        self.loop, self.said = asyncio.get_running_loop(), asyncio.Queue[bytes]()
        self.own = socket.socket()
        self.own.setblocking(False)

    async def connect(self, address: tuple[str, int]) -> None:
        """Return when it is connected."""
        connected = asyncio.Event()
        with pytest.raises(BlockingIOError):
            self.own.connect(address)
        self.loop.add_writer(self.own, connected.set)
        await connected.wait()
        self.loop.remove_writer(self.own)
        if failed := self.own.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(failed, os.strerror(failed))
        self.loop.add_reader(self.own.fileno(), self._read)

    def _read(self) -> None:
        self.said.put_nowait(self.own.recv(100))

    async def ask(self, line: bytes) -> bytes:
        """Return what is answered."""
        self.own.send(line)
        return await self.said.get()

    def close(self) -> None:
        """End it."""
        self.loop.remove_reader(self.own)
        self.own.close()


def test_a_socket_that_the_loop_watches(recordings: Path) -> None:
    """By `add_reader` and `add_writer`: when it was connected, and each time that it could read."""

    async def view(address: tuple[str, int]) -> list[str]:
        client, nobody = Watching(), Watching()
        with pytest.raises(ConnectionRefusedError):
            await nobody.connect((HOST, 9))
        nobody.own.close()
        await client.connect(address)
        said = [repr(await client.ask(line)) for line in (b"hello\n", b"again\n")]
        client.close()
        return said

    body = replayed(recordings, view)
    assert b"hello" in body and b"again" in body


def test_a_watched_socket_that_was_connected_before(recordings: Path) -> None:
    """A pool's: what it is told answers the request that asks, and a replay connects to nobody."""
    pool: list[Watching] = []
    app = FastAPI()

    @app.get("/")
    async def ask() -> str:
        if not pool:
            pool.append(Watching())
            await pool[0].connect(address)
        return repr(await pool[0].ask(b"hello\n"))

    async def twice(recorded: RetraceMiddleware) -> None:
        for one in (app, recorded):
            transport = httpx.ASGITransport(one)
            async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
                await client.get("/")
        pool.pop().close()

    with serving(socketserver.ThreadingTCPServer, Lines) as address:
        recorded = RetraceMiddleware(app)
        installer.install()
        asyncio.run(twice(recorded))
    assert_identical(only_recording(recordings), recorded, times=1)


def test_a_client_of_tornado(recordings: Path) -> None:
    """It reads and writes by itself, below asyncio's loop."""

    async def view(address: tuple[str, int]) -> list[str]:
        stream = await TCPClient().connect(*address)
        await stream.write(b"hello\n")
        said = await stream.read_until(b"\n")
        stream.close()
        return [repr(said)]

    assert b"hello" in replayed(recordings, view)


def test_a_server_by_sock_accept(recordings: Path) -> None:
    """A listener of the request's own, to which the request connects itself."""
    if isinstance(asyncio.get_event_loop_policy(), uvloop.EventLoopPolicy):
        return

    async def handle() -> list[str]:
        loop = asyncio.get_running_loop()
        with socket.socket() as listener:
            listener.bind((HOST, 0))
            listener.listen()
            listener.setblocking(False)
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            accepted, _ = await loop.sock_accept(listener)
            with accepted:
                writer.write(b"hello")
                heard = await loop.sock_recv(accepted, 100)
                await loop.sock_sendall(accepted, heard.upper())
            said = await reader.read(100)
            writer.close()
        return [repr(heard), repr(said)]

    app, recording = record_asgi(recordings, handle, tasks=4)
    assert b"HELLO" in identical_body(recording, app)
