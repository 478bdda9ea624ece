"""An event loop's clock: what an application is told comes back, and still times its timers."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
import uvloop
from fastapi import FastAPI

from retrace_core import replay
from retrace_core.recording import SoftEvent
from retrace_core.replay.loop_clock import LoopTime, timers_by_live_clock
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOOPS = {"asyncio": asyncio.run, "uvloop": uvloop.run}
HOUR_S = 3600.0


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Any:
    """Run a coroutine on a loop of each kind."""
    return LOOPS[request.param]


def told(handler: Callable[..., Any], run: Any, folder: Path) -> tuple[Any, Any]:
    """Return an application and its recording of one request."""
    app = FastAPI()
    app.get("/")(handler)
    app.add_middleware(RetraceMiddleware)

    async def ask() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            await client.get("/")

    run(ask())
    return app, only_recording(folder)


def test_what_is_told_comes_back(run: Any, recordings: Path) -> None:
    """A pause that is reckoned from it is as long as it was; so is what a page says."""

    async def handler() -> list[str]:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.sleep(0.001)
        await asyncio.sleep(max(0.0, 0.002 - (loop.time() - begun)))
        await asyncio.sleep(max(0.0, 0.003 - loop.time() + begun))
        return [repr(loop.time() - begun), repr(anyio.current_time() - begun), f"{loop.time()}"]

    app, recording = told(handler, run, recordings)
    for _ in range(2):
        result = replay(recording, app)
        assert result.identical, result.summary()


def test_timers_of_the_loop_itself_are_no_events(run: Any, recordings: Path) -> None:
    """How often a loop looks at its clock is up to it."""

    async def handler() -> None:
        loop = asyncio.get_running_loop()
        gone = loop.create_future()
        loop.call_later(0.001, gone.set_result, None)
        async with asyncio.timeout(60):
            await gone

    _, recording = told(handler, run, recordings)
    events = [event for lane in recording.lanes for event in lane.events]
    assert not [event for event in events if isinstance(event, SoftEvent)]


@pytest.mark.parametrize("recorded_s", [-HOUR_S, HOUR_S], ids=["long ago", "another machine"])
def test_timers_that_are_set_by_it_come_when_they_should(run: Any, recorded_s: float) -> None:
    """A recorded reading is of another clock than that of the loop which gets the timer."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        now = LoopTime(loop.time() + recorded_s, loop.time())
        come = asyncio.Event()
        loop.call_at(now + 0.001, come.set)
        async with asyncio.timeout(30), asyncio.timeout_at(now + 30):
            await come.wait()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout_at(now + 0.01):
                await asyncio.Event().wait()
        with anyio.CancelScope(deadline=now + 0.02) as scope:
            await asyncio.Event().wait()
        assert scope.cancelled_caught

    with timers_by_live_clock():
        run(main())


def test_afterwards_loops_are_as_they_were() -> None:
    """Nothing is left behind."""
    before = asyncio.BaseEventLoop.call_at
    with timers_by_live_clock():
        assert asyncio.BaseEventLoop.call_at is not before
        assert "call_at" in vars(uvloop.Loop)
    assert asyncio.BaseEventLoop.call_at is before
    assert "call_at" not in vars(uvloop.Loop)


def test_a_recorded_reading_is_a_number() -> None:
    """It is reckoned with as recorded, and leaves a replay as a plain number."""
    one, two = LoopTime(10.25, 500.0), LoopTime(10.75, 500.5)
    assert type(two - one) is float and two - one == 0.5
    assert (one + 1, 1 + one, one - 1) == (11.25, 11.25, 9.25)
    assert one < two and one <= two and two > one and two >= one
    assert one < 500.1 and 499.9 < one
    for pause in (0.75 - two + one, one + (0.75 - two), -two + 0.75 + one):
        assert type(pause) is float and pause == 0.25
    assert type(copy.deepcopy(one)) is float
    assert type(pickle.loads(pickle.dumps(one))) is float
