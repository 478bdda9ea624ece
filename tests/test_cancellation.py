"""Cancellation: a task that goes on in spite of it does so again on replay, and no other does."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import httpx
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from retrace_core import boundary, replay
from retrace_core.concurrency.waited import waited
from retrace_core.recording import CANCELLED, RETURNED, Event
from retrace_mw import RetraceMiddleware
from tests.recorded import assert_identical, only_recording, record_asgi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest


class Live:
    """What the world waits for: two calls meet, so that their order needs no clock."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()


live = Live()


@boundary
async def stubborn() -> str:
    """Answer in spite of a cancellation, as redis-py does where the reply is there already."""
    live.asked.set()
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    return "answered"


@boundary
async def fails() -> None:
    """Fail while the other call is in flight."""
    await live.asked.wait()
    raise ValueError("no such item")


@boundary
async def price(sku: str) -> str:
    """Answer at once."""
    return f"{sku} for 5"


async def failing() -> None:
    """End the group of tasks."""
    await fails()


def test_a_swallowed_cancellation_is_swallowed_again(recordings: Path) -> None:
    """The call returned although its task was cancelled meanwhile: what follows runs again."""
    global live
    live = Live()

    async def handler() -> Any:
        got: list[str] = []

        async def going_on() -> None:
            got.append(await stubborn())
            got.append(await price("pen"))

        with suppress(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(going_on())
                group.create_task(failing())
        return got

    app, recording = record_asgi(recordings, handler)
    assert recording.response is not None
    assert b"pen for 5" in b"".join(recording.response.body)
    assert_identical(recording, app)


def test_the_end_of_a_lane_tells_of_its_cancellation(recordings: Path) -> None:
    """So that replay knows which task was cancelled where no call of it was."""

    async def handler() -> Any:
        async def waits() -> str:
            await price("ink")
            await asyncio.Event().wait()
            return "never"

        waiting, done = asyncio.create_task(waits()), asyncio.create_task(price("pen"))
        await done
        waiting.cancel()
        await asyncio.wait([waiting])
        return {"cancelled": waiting.cancelled()}

    app, recording = record_asgi(recordings, handler)
    ends = [lane.events[-1] for lane in recording.lanes if lane.id != "0"]
    statuses = [getattr(end, "status", None) for end in ends]
    assert statuses == [CANCELLED, RETURNED]
    assert_identical(recording, app)


def test_a_cancellation_of_anyios_is_known_again(recordings: Path) -> None:
    """It is told from others by its message: a stream ends its wait for the client's leaving."""

    async def handler() -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            for number in range(3):
                yield await price(str(number))

        return StreamingResponse(parts())

    app, recording = record_asgi(recordings, handler)
    assert_identical(recording, app)


def test_a_cancellation_after_the_last_answer_keeps_its_message(recordings: Path) -> None:
    """One that comes early on replay is given where the task was cancelled."""

    async def handler() -> Any:
        with anyio.CancelScope() as scope:
            scope.cancel()
            with anyio.CancelScope(shield=True):
                first = await price("pen")
            await price("ink")
        return [first, scope.cancelled_caught]

    app, recording = record_asgi(recordings, handler)
    assert_identical(recording, app)


class Pool:
    """A pool whose giving back takes a step of the loop, as asyncpg's does."""

    async def give_back(self) -> None:
        """Give a connection back."""
        await asyncio.sleep(0)


def test_a_wait_for_a_pool_is_cancelled_again(recordings: Path) -> None:
    """The pool's own steps run on replay too: the cancellation may meet them there."""
    giving_back = waited("pool.release")(Pool.give_back)

    async def handler() -> Any:
        async def gives_back() -> None:
            await giving_back(Pool())

        giving = asyncio.create_task(gives_back())
        await asyncio.sleep(0)
        giving.cancel()
        await asyncio.wait([giving])
        return giving.cancelled()

    app, recording = record_asgi(recordings, handler)
    cancelled = [
        event.kind
        for lane in recording.lanes
        for event in lane.events
        if isinstance(event, Event) and event.status == CANCELLED
    ]
    assert cancelled == ["pool.release", "lane.end"]
    assert_identical(recording, app)


@boundary
async def news() -> None:
    """Wait for what never comes."""
    await asyncio.Event().wait()


def test_what_others_of_the_process_cancelled_is_cancelled_again(recordings: Path) -> None:
    """Background work that goes on until the process ends it: nobody of the request does."""
    background: list[asyncio.Task[Any]] = []

    async def handler() -> Any:
        async def looks() -> None:
            with suppress(asyncio.CancelledError):
                await news()
            await price("ink")

        background.append(asyncio.create_task(looks()))
        background.append(asyncio.create_task(asyncio.Event().wait()))
        return await price("pen")

    app, recording = record_asgi(recordings, handler)  # the loop's end cancels them
    ends = [lane.events[-1] for lane in recording.lanes if lane.id != "0"]
    assert CANCELLED in [getattr(end, "status", None) for end in ends]
    begun = time.monotonic()
    assert_identical(recording, app)
    assert time.monotonic() - begun < 9  # nothing waits until its patience is over


def test_what_nobody_cancels_while_the_request_goes_on_diverges(recordings: Path) -> None:
    """There it is the request's own code that has to."""
    patience = [0.05]

    async def handler() -> Any:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience[0]):
                await news()
        return "no news"

    app, recording = record_asgi(recordings, handler)
    assert_identical(recording, app, times=1)
    patience[0] = 1000
    result = replay(recording, app, patience_s=1)
    assert result.divergence is not None
    assert "now it was not" in result.divergence.reason


def test_what_was_under_way_when_the_recording_was_closed_stays_so(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ping that comes much later than the response: no answer to its wait is recorded."""
    monkeypatch.setenv("RETRACE_GRACE_S", "0.05")
    background: list[asyncio.Task[Any]] = []

    async def pings() -> None:
        with suppress(asyncio.CancelledError):
            await news()

    async def handler() -> Any:
        background.append(asyncio.create_task(pings()))
        return await price("pen")

    app = FastAPI()
    app.get("/")(handler)
    app.add_middleware(RetraceMiddleware)

    def written() -> bool:
        return any(recordings.glob("*/*/*.bin"))

    async def main() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            await client.get("/")
        while not written():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    asyncio.run(main())
    recording = only_recording(recordings)
    assert [lane.complete for lane in recording.lanes if lane.id != "0"] == [False]
    assert_identical(recording, app, times=1)


def listening(again: list[None], *, called_off: bool) -> Any:
    """Return a handler with a task that listens for the end of the connection."""

    async def handler(request: Request) -> str:
        heard = asyncio.Event()

        async def listen() -> None:
            await request.receive()
            heard.set()
            if again:
                await request.receive()
            elif called_off:
                await asyncio.Event().wait()

        listener = asyncio.create_task(listen())
        await heard.wait()
        if called_off:
            listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener
        return "served"

    handler.__annotations__["request"] = Request
    return handler


def test_who_listens_once_more_before_it_is_called_off(recordings: Path) -> None:
    """Hears nothing, as from a server: how often it asked depended on the steps of the loop."""
    again: list[None] = []
    app, recording = record_asgi(recordings, listening(again, called_off=True))
    again.append(None)
    assert_identical(recording, app)


def test_who_listens_once_more_and_is_not_called_off(recordings: Path) -> None:
    """Would hear what was not recorded: that is a divergence."""
    again: list[None] = []
    app, recording = record_asgi(recordings, listening(again, called_off=False))
    again.append(None)
    result = replay(recording, app, patience_s=0.5)
    assert result.divergence is not None
    assert result.divergence.asked_kind == "asgi.receive"
