"""Coroutines that wait for threads: what the event loop does meanwhile comes in the same order."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import pytest
from asgiref.sync import sync_to_async

from retrace_core import replay
from tests.http_origin import origin
from tests.recorded import assert_identical, record_asgi, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

REPLAYS = 200

_steps = itertools.count(1)


def spend() -> None:
    """Take a while that differs each time, on replay too: no clock and no draw is asked."""
    number = next(_steps)
    for _ in range((number * 7919) % 4000):
        pass


def identical_often(recording: Any, app: Any) -> None:
    """Replay again and again: there is one result."""
    for _ in range(REPLAYS):
        result = replay(recording, app)
        assert result.identical, result.summary() + "\n" + "\n".join(result.notes)


def draw() -> float:
    """Work on a thread, asking the world in between."""
    spend()
    time.sleep(random.random() / 300)
    spend()
    return random.random()


@pytest.mark.parametrize(
    "run",
    [asyncio.to_thread, anyio.to_thread.run_sync, sync_to_async(draw, thread_sensitive=False)],
    ids=["to_thread", "anyio", "asgiref"],
)
def test_a_thread_is_back_between_the_same_ticks(
    recordings: Path, run: Callable[..., Awaitable[float]]
) -> None:
    """How often a timer fired before the thread was back does not depend on the thread."""

    async def handler() -> Any:
        ticks, seen = 0, list[Any]()

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(random.random() / 500)
                ticks += 1

        ticking = asyncio.create_task(tick())
        for _ in range(5):
            value = await (run() if not hasattr(run, "__code__") else run(draw))
            seen.append((ticks, value))
        ticking.cancel()
        return seen

    app, recording = record_asgi(recordings, handler)
    assert_identical(recording, app, times=20)


def test_a_thread_that_was_waited_for_in_vain(recordings: Path) -> None:
    """A time-out that came before the thread was back comes before it again, though on replay
    the thread has nothing to wait for."""

    async def handler() -> Any:
        done: list[str] = []

        def work() -> None:
            time.sleep(0.1)
            done.append("late")

        try:
            await asyncio.wait_for(asyncio.to_thread(work), 0.02)
        except TimeoutError:
            done.append("timed out")
        return [*done, random.random()]

    app, recording = record_asgi(recordings, handler, tasks=2)
    assert recording.response is not None
    assert b"timed out" in b"".join(recording.response.body)
    assert_identical(recording, app)


def test_a_failing_thread_fails_in_its_turn(recordings: Path) -> None:
    """What it raised comes out at the same place."""

    def work() -> None:
        time.sleep(0.002)
        raise ValueError(str(random.random()))

    async def handler() -> Any:
        seen = []

        async def one(number: int) -> None:
            try:
                await asyncio.to_thread(work)
            except ValueError as error:
                seen.append((number, str(error)))

        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(one(number))
        return seen

    app, recording = record_asgi(recordings, handler)
    assert_identical(recording, app, times=10)


def test_one_recording_of_tasks_has_one_result(recordings: Path) -> None:
    """gather, as_completed, queues, locks, task groups, anyio: replayed 200 times, each time
    with other latencies."""

    async def handler() -> Any:
        order: list[Any] = []
        items: asyncio.Queue[int | None] = asyncio.Queue(2)
        lock, few = asyncio.Lock(), asyncio.Semaphore(2)

        async def one(number: int) -> tuple[int, float]:
            spend()
            await asyncio.sleep(random.random() / 500)
            spend()
            async with lock:
                order.append(("lock", number))
                await asyncio.sleep(random.random() / 1000)
            async with few:
                await asyncio.sleep(random.random() / 1000)
                order.append(("few", number))
            return number, random.random()

        async def serve(number: int) -> None:
            while (item := await items.get()) is not None:
                spend()
                await asyncio.sleep(random.random() / 1000)
                order.append(("served", number, item))

        order += await asyncio.gather(*(one(number) for number in range(4)))
        for done in asyncio.as_completed([one(number) for number in range(4)]):
            order.append(await done)
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(serve(number))
            for item in [*range(8), None, None, None]:
                await items.put(item)
        async with anyio.create_task_group() as tasks:
            for number in range(3):
                tasks.start_soon(one, number)
        return order

    app, recording = record_asgi(recordings, handler)
    identical_often(recording, app)


def test_one_recording_of_threads_has_one_result(recordings: Path) -> None:
    """A pool's results as they complete, and a lock: 200 times, with other latencies."""
    with origin() as (base, _):
        import httpx

        def view() -> Any:
            order: list[Any] = []
            lock = threading.Lock()

            def one(number: int) -> tuple[int, float]:
                spend()
                time.sleep(random.random() / 500)
                if number == 2:
                    httpx.get(f"{base}/json")
                with lock:
                    order.append(number)
                spend()
                return number, random.random()

            with ThreadPoolExecutor(3) as pool:
                futures = [pool.submit(one, number) for number in range(5)]
                order += [done.result() for done in as_completed(futures)]
            return order

        app, recording = record_wsgi(recordings, view)
    identical_often(recording, app)


@pytest.mark.parametrize("begins_again", [True, False])
def test_a_task_that_asks_nothing_may_not_begin_again(recordings: Path, begins_again: bool) -> None:
    """One that wakes a waiter, where nobody waits yet on replay: nobody waits for its end."""
    times = itertools.count()

    async def nothing() -> None:
        return None

    async def handler() -> Any:
        loop = asyncio.get_running_loop()

        def work() -> float:
            if next(times) == 0 or begins_again:
                loop.call_soon_threadsafe(lambda: loop.create_task(nothing()))
            return draw()

        return [await loop.run_in_executor(None, one) for one in (work, draw)]

    app, recording = record_asgi(recordings, handler, tasks=2)
    assert recording.lane("0.0.0") is not None
    began = time.monotonic()
    result = replay(recording, app)
    assert result.identical, result.summary()
    assert time.monotonic() - began < 5
