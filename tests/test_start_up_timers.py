"""Timers that the start-up left to its event loop are over as often on replay as they were."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.replay_report import replays
from tests.serving import get, under_uvicorn

if TYPE_CHECKING:
    from pathlib import Path

SCHEDULER = """
from apscheduler.schedulers.asyncio import AsyncIOScheduler

async def job():
    count("job")

def begin():
    scheduler = AsyncIOScheduler()
    scheduler.add_job(job, "interval", seconds=0.2)
    scheduler.start()
"""
LATER = """
def again(loop):
    count("job")
    loop.call_later(0.2, again, loop)

def begin():
    loop = asyncio.get_running_loop()
    loop.call_later(0.2, again, loop)
    loop.call_later(0.1, count, "stopped").cancel()
    loop.call_at(loop.time() + 60, count, "never")
"""
TIMEOUT = """
async def timing():
    while True:
        try:
            async with asyncio.timeout(60):
                async with asyncio.timeout(0.2):
                    await asyncio.Event().wait()
        except TimeoutError:
            count("job")

def begin():
    kept.append(asyncio.create_task(timing()))
"""
WAIT = """
async def waiting():
    never = asyncio.create_task(asyncio.Event().wait())
    while True:
        done, _ = await asyncio.wait([never], timeout=0.2)
        count("job" if not done else "done")

def begin():
    kept.append(asyncio.create_task(waiting()))
"""
APPLICATION = """
import asyncio, collections, contextlib, json
from fastapi import FastAPI

counts, kept = collections.Counter(), []

def count(name):
    counts[name] += 1

{begin}

@contextlib.asynccontextmanager
async def lifespan(app):
    begin()
    yield

app = FastAPI(lifespan=lifespan)

@app.get("/stats")
async def stats():
    return counts

@app.get("/")
async def here():
    return "here"
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(SCHEDULER, id="AsyncIOScheduler"),
        pytest.param(LATER, id="call_later"),
        pytest.param(TIMEOUT, id="timeout"),
        pytest.param(WAIT, id="wait"),
    ],
)
def test_what_timers_had_counted_comes_out_again(
    begin: str, loop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request is answered with the count of its time, and not of the tape's end."""
    (tmp_path / "jobs.py").write_text(APPLICATION.format(begin=begin))
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with under_uvicorn("jobs:app", tmp_path, "--loop", loop, sample_rate=0) as base:
        _until(base + "/stats", 3)
        # Right after one was over, so that none is over while it is answered.
        get(base + "/stats", {"X-Trace-ID": "one"})
        _until(base + "/stats", 6)
    (path,) = tmp_path.glob("one/*/trace.bin")
    replays(path, "--cold")


def _until(url: str, count: int) -> None:
    """Ask for as long as it takes to count so far."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        counts = json.loads(get(url))
        assert set(counts) <= {"job"}
        if counts.get("job", 0) >= count:
            return
    raise AssertionError(f"{url} counted no {count}")
