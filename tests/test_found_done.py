"""Which of several tasks `asyncio.wait` finds done is what it had found when recorded."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from tests.recorded import assert_identical, record_asgi, spin

if TYPE_CHECKING:
    from pathlib import Path


async def race() -> list[int]:
    """Let six tasks sleep, and say who was over when the first one was."""
    tasks = [asyncio.create_task(_nap(number)) for number in range(6)]
    done, late = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in late:
        task.cancel()
    return sorted(task.result() for task in done)


async def _nap(number: int) -> int:
    await asyncio.sleep(random.random() * 0.004)
    spin(random.random() * 0.003)
    await asyncio.sleep(0)
    return number


@pytest.mark.parametrize("policy", [None, uvloop.EventLoopPolicy()], ids=["asyncio", "uvloop"])
def test_whoever_won_a_race_wins_it_again(
    recordings: Path, policy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And those that came in together with the first."""
    for number in range(6):
        folder = recordings / str(number)
        monkeypatch.setenv("RETRACE_RECORDING_PATH", str(folder))
        asyncio.set_event_loop_policy(policy)
        try:
            app, recording = record_asgi(folder, race, tasks=2)
        finally:
            asyncio.set_event_loop_policy(None)
        assert_identical(recording, app)


def test_what_was_not_over_in_time_is_not(recordings: Path) -> None:
    """Nobody waits on replay, so that all of them would be."""

    async def handler() -> list[list[int]]:
        tasks = [asyncio.create_task(asyncio.sleep(number * 0.02, number)) for number in range(9)]
        found: list[list[int]] = []
        while tasks:
            done, late = await asyncio.wait(tasks, timeout=0.03)
            found.append(sorted(task.result() for task in done))
            tasks = list(late)
        return found

    app, recording = record_asgi(recordings, handler, tasks=2)
    assert_identical(recording, app)


def test_a_wait_that_was_called_off(recordings: Path) -> None:
    """It is called off again, where it had not come to its end."""

    async def handler() -> str:
        never = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(0.01):
                await asyncio.wait([never], return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            return "late"
        return "in time"

    app, recording = record_asgi(recordings, handler)
    assert_identical(recording, app)


def test_a_future_that_no_task_is(recordings: Path) -> None:
    """Nothing tells it from another one on replay: it is found as it is then."""

    async def handler() -> list[bool]:
        loop = asyncio.get_running_loop()
        given, never = loop.create_future(), loop.create_future()
        loop.call_later(0.001, given.set_result, None)
        done, late = await asyncio.wait([given, never], return_when=asyncio.FIRST_COMPLETED)
        return [given in done, never in late]

    app, recording = record_asgi(recordings, handler)
    assert_identical(recording, app)
