"""Of a replay that does not come to its end it is said where it stands."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.recorded import record_asgi
from tests.replay_report import replays, run_replay
from tests.serving import get, under_gunicorn

if TYPE_CHECKING:
    from pathlib import Path

STARTS = """
import asyncio
import contextlib

from fastapi import FastAPI


@contextlib.asynccontextmanager
async def lifespan(app):
    await asyncio.Event().wait()
    yield


app = FastAPI(lifespan=lifespan)
"""
ANSWERS = """
import asyncio

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def handler():
    await asyncio.create_task(forgotten(), name="forgotten")


async def forgotten():
    await asyncio.Event().wait()
"""


@pytest.mark.parametrize(
    ("application", "said"),
    [
        (
            STARTS,
            [
                "it was in the application's start-up, before the request",
                "task Task-2 is at app.py:10 in lifespan",
            ],
        ),
        (
            ANSWERS,
            [
                "it was in GET /",
                "task Task-3 is at app.py:11 in handler",
                "task forgotten is at app.py:15 in forgotten",
            ],
        ),
    ],
    ids=["in the start-up", "in the request"],
)
def test_what_it_waits_for(
    recordings: Path, tmp_path: Path, application: str, said: list[str]
) -> None:
    """The lines of the application where its tasks wait."""

    async def handler() -> None:
        return None

    record_asgi(recordings, handler)
    [file] = recordings.glob("*/*/trace.bin")
    (tmp_path / "app.py").write_text(application)
    command = [sys.executable, "-m", "retrace_core.cli", "replay", str(file), "--app", "app:app"]
    done = subprocess.run(
        [*command, "--timeout", "3"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2, done
    first, *rest = done.stderr.splitlines()
    assert "took longer than 3 s" in first
    assert [line.strip() for line in rest] == said


STARTED = """
import os
import sqlite3

try:
    COLOUR = sqlite3.connect("shop.db").execute(os.environ["ASKED"]).fetchone()[0]
except Exception:
    COLOUR = "none"


def app(environ, start_response):
    start_response("200 OK", [])
    return [COLOUR.encode()]
"""


def test_a_start_up_that_asks_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An application that goes on without an answer is not the one that was recorded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    monkeypatch.setenv("ASKED", "SELECT 'blue'")
    (tmp_path / "started.py").write_text(STARTED)
    with under_gunicorn("started:app", tmp_path / "recordings") as base:
        get(f"{base}/", {"X-Trace-ID": "blue"})
    replays("blue")
    changed = STARTED.replace('os.environ["ASKED"]', "\"SELECT 'red'\"")
    (tmp_path / "started.py").write_text(changed)
    done = run_replay("blue", "--cold")
    assert done.returncode == 1
    assert "asked what is not on the boot tape, the first of it: sqlite3.execute" in done.stdout
