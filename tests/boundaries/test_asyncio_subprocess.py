"""Programs that a coroutine runs: on replay they are not started, and say what they said."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.recorded import assert_identical, record_asgi

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

PIPE = asyncio.subprocess.PIPE
SAYS = "import random, sys; print(random.random()); sys.exit(3)"
ECHOES = "import os, sys\nfor line in sys.stdin: print(os.getpid(), line, end='', flush=True)"


async def _communicates() -> object:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SAYS, stdout=PIPE)
    said, complained = await asyncio.wait_for(process.communicate(), 30)
    return [said.decode(), complained, process.returncode]


async def _is_told() -> object:
    command = [sys.executable, "-c", ECHOES]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    said, complained = await process.communicate(b"one\ntwo\n")
    return [said.decode(), complained.decode(), process.returncode]


async def _line_by_line() -> object:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ECHOES, stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    said = []
    for word in (b"one\n", b"two\n"):
        process.stdin.write(word)
        await process.stdin.drain()
        said.append((await process.stdout.readline()).decode())
    process.stdin.close()
    said += [line.decode() async for line in process.stdout]
    return [said, await process.wait(), process.returncode, process.pid]


async def _in_a_shell() -> object:
    process = await asyncio.create_subprocess_shell("echo $$; exit 4", stdout=PIPE)
    assert process.stdout is not None
    return [(await process.stdout.read()).decode(), await process.wait()]


async def _ended_by_force() -> object:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", ECHOES, stdin=PIPE)
    before = process.returncode
    process.kill()
    after = await process.wait()
    try:
        process.send_signal(15)
    except ProcessLookupError:
        return [before, after, "is gone"]
    return [before, after]


async def _missing() -> object:
    try:
        await asyncio.create_subprocess_exec("no-such-program-of-anybody")
    except FileNotFoundError as error:
        return [error.errno, error.filename]
    return None


WAYS: list[Callable[[], Awaitable[Any]]] = [
    *(_communicates, _is_told, _line_by_line, _in_a_shell, _ended_by_force, _missing)
]


@pytest.mark.parametrize("way", WAYS)
def test_comes_back(recordings: Path, way: Callable[[], Awaitable[Any]]) -> None:
    """What it said has a random number or its id in it."""
    app, recording = record_asgi(recordings, way)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert recording.holes == []
    assert_identical(recording, app, times=2)


def test_several_at_once(recordings: Path) -> None:
    """Which of them is done first is no matter."""

    async def view() -> object:
        return await asyncio.gather(*(_communicates() for _ in range(4)))

    app, recording = record_asgi(recordings, view)
    assert_identical(recording, app, times=2)
