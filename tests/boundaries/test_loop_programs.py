"""Programs that are started by the event loop itself, as anyio does: on replay none is."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import anyio

from tests.recorded import assert_identical, record_asgi

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

SAYS = "import os, random, sys; print(os.getpid(), random.random()); print('no', file=sys.stderr)"
ECHOES = "import os\nwhile True:\n    print(os.getpid(), input(), flush=True)"


def identical(recordings: Path, view: Callable[[], Awaitable[Any]]) -> None:
    """Record a view, whose programs are gone on replay."""
    app, recording = record_asgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app, times=2)


def test_anyio_runs_a_program(recordings: Path) -> None:
    """All that it said, by each of its pipes, and how it ended; by a shell, too."""

    async def view() -> Any:
        done = await anyio.run_process([sys.executable, "-c", SAYS + "; sys.exit(3)"], check=False)
        shell = await anyio.run_process("echo $$")
        return [done.stdout, done.stderr, done.returncode, shell.stdout]

    identical(recordings, view)


def test_anyio_talks_with_a_program(recordings: Path) -> None:
    """Line by line; then it is killed."""

    async def view() -> Any:
        said = []
        async with await anyio.open_process([sys.executable, "-c", ECHOES]) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for word in (b"one\n", b"two\n"):
                await process.stdin.send(word)
                said.append((await process.stdout.receive()).decode())
            process.kill()
            ended = await process.wait()
        return [said, ended, process.pid]

    identical(recordings, view)


def test_a_protocol_of_the_applications_own(recordings: Path) -> None:
    """It is told the same, in the same order."""

    class Notes(asyncio.SubprocessProtocol):
        def __init__(self) -> None:
            self.said: list[Any] = []
            self.over = asyncio.get_running_loop().create_future()

        def pipe_data_received(self, fd: int, data: bytes) -> None:
            self.said.append([fd, data.decode()])

        def process_exited(self) -> None:
            self.said.append("exited")

        def connection_lost(self, exc: Exception | None) -> None:
            self.over.set_result(None)

    async def view() -> Any:
        loop = asyncio.get_running_loop()
        transport, notes = await loop.subprocess_exec(Notes, sys.executable, "-c", SAYS)
        await notes.over
        transport.close()
        return [sorted(map(str, notes.said)), transport.get_returncode(), transport.get_pid()]

    identical(recordings, view)
