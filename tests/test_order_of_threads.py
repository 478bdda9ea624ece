"""The order of threads and tasks: what depends on who was first comes out the same."""

from __future__ import annotations

import asyncio
import queue
import random
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core import native
from tests.recorded import assert_identical, record_asgi, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

needs_hooks = pytest.mark.skipif(
    native.IMPLEMENTATION != "c", reason="locks are C objects, which the fallback can't hook"
)


def at_once(count: int, work: Callable[[int], None]) -> None:
    """Run `work(0)`, `work(1)` ... in threads, and wait for all."""
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@needs_hooks
@pytest.mark.parametrize("make", [threading.Lock, threading.RLock])
def test_a_lock_goes_round_in_the_same_order(recordings: Path, make: Callable[[], Any]) -> None:
    """Sleeps and locks take turns: each thread gets the lock when it got it before."""

    def view() -> Any:
        lock, order = make(), []

        def work(number: int) -> None:
            for _ in range(3):
                time.sleep(random.random() / 500)
                with lock:
                    order.append((number, random.random()))

        at_once(4, work)
        return order

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app, times=5)


@needs_hooks
def test_a_lock_held_over_a_call_does_not_block_the_replay(recordings: Path) -> None:
    """Who holds the lock and who calls next are in the same order: nobody waits for ever."""

    def view() -> Any:
        lock, seen = threading.Lock(), []

        def work(number: int) -> None:
            with lock:
                time.sleep(random.random() / 1000)
                seen.append(number)
            time.sleep(random.random() / 1000)
            seen.append(lock.acquire(timeout=5))
            lock.release()

        at_once(6, work)
        return seen

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app, times=5)


def test_a_queue_gives_each_thread_the_same_items(recordings: Path) -> None:
    """Work is shared out as before; a queue that was empty is empty again."""

    def view() -> Any:
        work: queue.Queue[int | None] = queue.Queue(4)
        done: queue.Queue[Any] = queue.LifoQueue()

        def serve(number: int) -> None:
            while (item := work.get()) is not None:
                time.sleep(random.random() / 500)
                done.put((number, item, random.random()))

        def feed(_: int) -> None:
            for item in range(9):
                work.put(item)
            for _ in range(3):
                work.put(None)

        at_once(4, lambda number: feed(number) if number == 3 else serve(number))
        found = [done.get_nowait() for _ in range(9)]
        try:
            done.get(timeout=0.01)
        except queue.Empty:
            found.append("empty")
        return found

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert b"empty" in b"".join(recording.response.body)
    assert_identical(recording, app, times=5)


def test_threads_begin_in_the_same_order(recordings: Path) -> None:
    """Also what they do before their first call is in order."""

    def view() -> Any:
        order: list[Any] = []

        def work(number: int) -> None:
            order.append(number)
            time.sleep(random.random() / 500)
            order.append((number, "again"))

        at_once(5, work)
        return order

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app, times=5)


def test_a_lock_that_was_not_taken_before_is_no_divergence(recordings: Path) -> None:
    """Caches take locks when they are cold: one more is taken live, one less is passed over."""
    lock, times = threading.Lock(), [0, 2, 1]

    def view() -> Any:
        for _ in range(times.pop()):
            with lock:
                pass
        drawn: list[float] = []
        at_once(1, lambda _: drawn.append(random.random()))
        for _ in range(times.pop() if times else 0):
            with lock:
                pass
        return drawn

    app, recording = record_wsgi(recordings, view)
    times[:] = [3, 0]
    assert_identical(recording, app, times=1)
    times[:] = [0, 3]
    assert_identical(recording, app, times=1)


def test_tasks_share_a_queue_as_before(recordings: Path) -> None:
    """What tasks hand to one another within the loop is done before the next answer comes."""

    async def handler() -> Any:
        items: asyncio.Queue[int | None] = asyncio.Queue(2)
        order: list[Any] = []
        few = asyncio.Semaphore(2)

        async def serve(number: int) -> None:
            while (item := await items.get()) is not None:
                async with few:
                    await asyncio.sleep(0.001 * (1 + (item * 7) % 5))
                order.append((number, item, random.random()))

        tasks = [asyncio.create_task(serve(number)) for number in range(3)]
        for item in [*range(9), None, None, None]:
            await items.put(item)
        await asyncio.gather(*tasks)
        return order

    app, recording = record_asgi(recordings, handler)
    assert_identical(recording, app, times=5)


def test_a_read_that_failed_fails_again(recordings: Path) -> None:
    """Wrong arguments of clocks, sleeps and draws raise what they raised."""

    def view() -> Any:
        found = []
        reads: list[Callable[[], Any]] = [
            lambda: time.sleep(-1),
            lambda: time.clock_gettime(-999),
            lambda: random.getrandbits(-1),
            lambda: random.choice([]),
        ]
        for read in reads:
            try:
                found.append(str(read()))
            except (ValueError, OSError, IndexError) as error:
                found.append(f"{type(error).__name__}: {error}")
        return found

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)
