"""An event loop that `nest_asyncio` runs: it takes the place of asyncio's own, round by round."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import nest_asyncio

from retrace_core.exempt import classify
from tests.replay_report import replays
from tests.server_process import free_port
from tests.serving import get, serving

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SERVE = """
import asyncio
import sys

import nest_asyncio
import uvicorn
from fastapi import FastAPI

nest_asyncio.apply()
app = FastAPI()


async def answer():
    await asyncio.sleep(0.001)
    return "nested"


@app.get("/")
async def index() -> str:
    return asyncio.get_running_loop().run_until_complete(answer())


async def serve():
    await uvicorn.Server(uvicorn.Config(app, port=int(sys.argv[1]))).serve()


asyncio.run(serve())
"""


def test_its_clock_is_read_for_its_own_sake() -> None:
    """It waits by that: by the recorded clock a replay would wait for as long as that is ago."""
    assert classify(nest_asyncio._patch_loop.__code__) < 0


def test_a_program_that_serves_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    (tmp_path / "serve.py").write_text(SERVE)
    port = free_port()
    command = ["retrace_core.cli", "run", "--", sys.executable, "serve.py", str(port)]
    with serving(command, port, tmp_path / "recordings") as base:
        assert get(f"{base}/", {"X-Trace-ID": "nested"}) == '"nested"'
    replays("nested")
