"""Cancellation: a task that goes on in spite of it does so again on replay, and no other does."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
from fastapi.responses import StreamingResponse

from retrace_core import boundary
from retrace_core.recording import CANCELLED, RETURNED
from tests.recorded import assert_identical, record_asgi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


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
