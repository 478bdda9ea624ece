"""Connections with a protocol of one's own that were opened before the request came."""

from __future__ import annotations

import itertools
import socketserver
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.boundaries.test_own_sockets import Lines
from tests.boundaries.test_own_sockets import serving as answering
from tests.replay_report import replays
from tests.serving import get, under_uvicorn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

APPLICATION = """
import asyncio, contextlib
from fastapi import FastAPI

class Client(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.answers = transport, []
        self.greeting = self.promise()
        transport.write(b"greetings\\n")

    def promise(self):
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]

    def data_received(self, data):
        for line in data.splitlines():
            self.answers.pop(0).set_result(line.decode())

    async def ask(self, line):
        promise = self.promise()
        self.transport.write(line)
        return await promise

free = []

async def opened():
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_connection(Client, "127.0.0.1", {port})
    client.greeted = await client.greeting
    return client

@contextlib.asynccontextmanager
async def lifespan(app):
    for _ in range({at_start}):
        free.append(await opened())
    yield
    for client in free:
        client.transport.close()

app = FastAPI(lifespan=lifespan)

@app.get("/alive")
async def alive():
    return "alive"

@app.get("/")
async def ask():
    client = free.pop() if free else await opened()
    said = [client.greeted] + [await client.ask(b"%d\\n" % number) for number in range(3)]
    free.append(client)
    return said
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(
    ("at_start", "rate"), [pytest.param(2, 0, id="start-up"), pytest.param(0, 1, id="earlier")]
)
def test_what_a_pool_had_connected(
    at_start: int, rate: int, loop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the start-up, as the boot tape says; or for a request that is replayed first."""
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with answering(socketserver.ThreadingTCPServer, Lines) as (_, of_lines):
        code = APPLICATION.format(port=of_lines, at_start=at_start)
        (tmp_path / "lines.py").write_text(code)
        with under_uvicorn("lines:app", tmp_path, "--loop", loop, sample_rate=rate) as base:
            get(base + "/alive")
            said = get(base + "/", {"X-Trace-ID": "first"})
            get(base + "/", {"X-Trace-ID": "second"})
    assert "greetings" in said
    for name in ("first", "second"):
        (path,) = tmp_path.glob(f"{name}/*/trace.bin")
        replays(path, "--warm" if rate else "--cold")


class Ticking(socketserver.BaseRequestHandler):
    """Sends the next number again and again, for as long as anybody listens."""

    def handle(self) -> None:
        """Serve one connection."""
        for number in itertools.count(1):
            try:
                self.request.sendall(b"%d\n" % number)
            except OSError:
                return
            time.sleep(0.05)


LISTENING = """
import asyncio, contextlib
from fastapi import FastAPI

class Listener(asyncio.Protocol):
    last, rest = 0, b""

    def data_received(self, data):
        *lines, self.rest = (self.rest + data).split(b"\\n")
        if lines:
            self.last = int(lines[-1])

@contextlib.asynccontextmanager
async def lifespan(app):
    loop = asyncio.get_running_loop()
    transport, app.state.listener = await loop.create_connection(Listener, "127.0.0.1", {port})
    yield
    transport.close()

app = FastAPI(lifespan=lifespan)

@app.get("/")
async def last():
    return app.state.listener.last
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_what_the_start_up_listens_to(
    loop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On replay it has heard as much when the request comes, and no more."""
    said = served(Ticking, LISTENING, "ticks", loop, tmp_path, monkeypatch, wait="20")
    assert int(said["only"]) >= 20


SHARED = """
import asyncio, contextlib
from fastapi import FastAPI

class Client(asyncio.Protocol):
    rest = b""

    def connection_made(self, transport):
        self.transport, self.waiting = transport, {{}}

    def data_received(self, data):
        *lines, self.rest = (self.rest + data).split(b"\\n")
        for line in lines:
            name = line.split()[1].decode()
            if name in self.waiting:
                self.waiting.pop(name).set_result(line.decode())

    async def ask(self, name):
        self.waiting[name] = asyncio.get_running_loop().create_future()
        self.transport.write(name.encode() + b"\\n")
        return await self.waiting[name]

@contextlib.asynccontextmanager
async def lifespan(app):
    loop = asyncio.get_running_loop()
    transport, app.state.client = await loop.create_connection(Client, "127.0.0.1", {port})
    yield
    transport.close()

app = FastAPI(lifespan=lifespan)

@app.get("/")
async def ask(name: str = "first"):
    return [await app.state.client.ask(f"{{name}}.{{turn}}") for turn in range(5)]
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_one_connection_for_all(loop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the requests that are recorded at the same time has heard what it was answered."""
    names = [f"r{number}" for number in range(4)]
    said = served(Lines, SHARED, "shared", loop, tmp_path, monkeypatch, names=names)
    assert all(f"{name}.4" in said[name] for name in names)


def served(
    handler: type[Any],
    code: str,
    module: str,
    loop: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    names: Sequence[str] = ("only",),
    wait: str = "",
) -> dict[str, str]:
    """Ask an application by names at once, replay each request, and return what it had said.

    It is asked for nothing until it answers more than `wait`, where that is given.
    """
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    with answering(socketserver.ThreadingTCPServer, handler) as (_, of_other):
        (folder / f"{module}.py").write_text(code.format(port=of_other))
        with (
            under_uvicorn(f"{module}:app", folder, "--loop", loop, sample_rate=0) as base,
            ThreadPoolExecutor(len(names)) as pool,
        ):
            while wait and int(get(base + "/")) < int(wait):
                pass

            def ask(name: str) -> str:
                return get(f"{base}/?name={name}", {"X-Trace-ID": name})

            said = dict(zip(names, pool.map(ask, names), strict=True))
    for name in names:
        (path,) = folder.glob(f"{name}/*/trace.bin")
        replays(path, "--cold")
    return said
