"""Record one request of an application in one process, and replay it in another."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_RECORD = """
import asyncio, sys
import httpx
from retrace_core import writer
from application import app


async def main():
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        answer = await client.get("/")
        print(answer.status_code, answer.text)


asyncio.run(main())
assert writer.flush(10)
"""
_REPLAY = """
import sys
from retrace_core import replay
from application import app

result = replay(sys.argv[1], app)
print(result.summary(), *result.notes, sep="\\n")
sys.exit(not result.identical)
"""
_REPLAY_BY_NAME = """
import sys
from retrace_core import replay

for path in sys.argv[2:]:
    result = replay(path, sys.argv[1])
    assert result.identical, "\\n".join([path, result.summary(), *result.notes])
"""
_COMMAND = """
import sys
from retrace_core.cli import main

sys.exit(main(sys.argv[1:]))
"""


def record_in_a_process(folder: Path, source: str, program: str = _RECORD) -> str:
    """Run an application in a process of its own; return what that prints.

    Args:
        folder: the recordings' (the fixture `recordings`); the application goes beside it.
        source: of the module `application`, which has `app`, wrapped in the middleware.
        program: asks it; default: asks an ASGI application for /, and prints what it answers.
    """
    folder.parent.joinpath("application.py").write_text(source)
    return _run(folder.parent, program)


def replay_in_a_process(folder: Path) -> None:
    """Replay the one recording in a fresh process; fails unless it is identical."""
    (path,) = folder.glob("*/*/trace.bin")
    _run(folder.parent, _REPLAY, str(path))


def replay_by_name(folder: Path, *, app: str = "app", first: str = "") -> int:
    """Replay all recordings of requests in a fresh process, which imports the application then.

    Args:
        folder: as of `record_in_a_process`.
        app: what the module `application` calls it.
        first: what the process runs before all else.

    Returns:
        How many there are; each is identical, or it fails.
    """
    paths = [path for path in folder.glob("*/*/*.bin") if not path.name.startswith("boot")]
    _run(folder.parent, first + _REPLAY_BY_NAME, f"application:{app}", *map(str, paths))
    return len(paths)


def replay_by_command(folder: Path) -> None:
    """Replay it by `retrace replay`, so that the replay begins before the application is imported.

    Args and raises: as `replay_in_a_process`.
    """
    (path,) = folder.glob("*/*/trace.bin")
    _run(folder.parent, _COMMAND, "replay", str(path), "--app", "application:app")


def _run(folder: Path, code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
