"""Connections with a protocol of one's own that were opened before the request came."""

from __future__ import annotations

import json
import socketserver
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.boundaries.test_own_sockets import Lines
from tests.boundaries.test_own_sockets import serving as answering
from tests.server_process import free_port
from tests.test_servers import get, serving

if TYPE_CHECKING:
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
    port = free_port()
    command = ["retrace_core.cli", "run", "--", sys.executable, "-m", "uvicorn", "--loop", loop]
    with answering(socketserver.ThreadingTCPServer, Lines) as (_, of_lines):
        code = APPLICATION.format(port=of_lines, at_start=at_start)
        (tmp_path / "lines.py").write_text(code)
        command += ["--port", str(port), "lines:app"]
        with serving(command, port, tmp_path, sample_rate=rate) as base:
            get(base + "/alive")
            said = get(base + "/", {"X-Trace-ID": "first"})
            get(base + "/", {"X-Trace-ID": "second"})
    assert "greetings" in said
    for name in ("first", "second"):
        (path,) = tmp_path.glob(f"{name}/*/trace.bin")
        command = ["retrace_core.cli", "replay", str(path), "--warm" if rate else "--cold"]
        done = subprocess.run(
            [sys.executable, "-m", *command, "--json"], capture_output=True, text=True, timeout=100
        )
        assert json.loads(done.stdout)["identical"], done.stdout
