"""What `wait` returns is gone through in the order in which the work was spawned."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.concurrency.spawn_order import BySpawn, by_spawn
from tests.recorded import assert_identical, record_asgi, record_wsgi, spin

if TYPE_CHECKING:
    from pathlib import Path

_MANY = 30
"""So many lie in memory in the same order in two runs by no chance."""


async def _number(number: int) -> int:
    await asyncio.sleep(0)
    return number


def test_tasks_that_are_done_come_in_one_order(recordings: Path) -> None:
    """Those that a set of the application's had, too."""

    async def handler() -> list[int]:
        done, _ = await asyncio.wait({asyncio.create_task(_number(n)) for n in range(_MANY)})
        return [task.result() for task in done]

    app, recording = record_asgi(recordings, handler, tasks=2)
    assert recording.response is not None
    assert b"".join(recording.response.body).startswith(b"[0,1,2,3,")
    assert_identical(recording, app)


def test_tasks_that_are_pending_come_in_one_order(recordings: Path) -> None:
    """As whoever cancels them goes through them."""

    async def handler() -> list[str]:
        sleeping = [asyncio.create_task(asyncio.sleep(60), name=str(n)) for n in range(_MANY)]
        first = asyncio.create_task(_number(0))
        _, pending = await asyncio.wait({first, *sleeping}, return_when=asyncio.FIRST_COMPLETED)
        names = [task.get_name() for task in pending]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        return names

    app, recording = record_asgi(recordings, handler, tasks=2)
    assert_identical(recording, app)


def test_futures_of_a_pool_come_in_one_order(recordings: Path) -> None:
    """Of `concurrent.futures.wait`."""

    def view() -> str:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            done, _ = concurrent.futures.wait({pool.submit(int, n) for n in range(_MANY)})
        return " ".join(str(future.result()) for future in done)

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


class _Task:
    def __init__(self, lane: str) -> None:
        self.retrace_lane = lane


def test_it_is_a_set_like_any_other() -> None:
    """Lanes are numbers, and not texts; what has none comes last."""
    second, tenth, other = _Task("0.2"), _Task("0.10"), object()
    ordered = by_spawn({tenth, other, second})
    assert list(ordered) == [second, tenth, other]
    assert isinstance(ordered, set)
    assert list(ordered.copy()) == list(ordered)
    assert ordered.pop() is second
    assert ordered | {second} == {second, tenth, other}
    assert type(by_spawn({second})) is set
    with pytest.raises(KeyError):
        BySpawn[Any]().pop()


def test_a_task_that_only_sleeps(recordings: Path) -> None:
    """Which of several are over when one is depends on how busy the event loop is."""
    busy = 0.03

    async def handler() -> list[int]:
        tasks = [asyncio.create_task(asyncio.sleep(n * 0.005, n)) for n in range(1, 5)]
        tasks.append(asyncio.create_task(asyncio.sleep(60, 5)))
        await asyncio.sleep(0)
        spin(busy)  # all of their timers are due together, and on replay one is
        done, late = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in late:
            task.cancel()
        return sorted(task.result() for task in done)

    app, recording = record_asgi(recordings, handler, tasks=2)
    assert recording.response is not None
    assert b"".join(recording.response.body) == b"[1,2,3,4]"
    busy = 0.0
    assert_identical(recording, app)
