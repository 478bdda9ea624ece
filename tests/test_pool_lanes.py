"""What a request gives to a `ThreadPool` of multiprocessing comes out of a replay the same."""

from __future__ import annotations

import random
import threading
import time
from multiprocessing import TimeoutError as NotInTime
from multiprocessing.pool import ThreadPool
from typing import TYPE_CHECKING, Any

import pytest
from joblib import Parallel, delayed, parallel_config

from tests.recorded import assert_identical, identical_body, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def draw(number: int) -> list[float]:
    """Take a while; the next one may be done earlier."""
    time.sleep(random.random() / 100)
    return [number, random.random(), time.time()]


def add(one: int, other: int) -> list[float]:
    """Take two arguments."""
    return draw(one + other)


def fail(number: int) -> None:
    """Come to nothing."""
    raise ValueError(f"{number} at {draw(number)}")


def numbers() -> Iterator[int]:
    """Ask the world for each."""
    for _ in range(6):
        yield random.randrange(1000)


def mapped(pool: ThreadPool) -> Any:
    """All at once, in pieces of several and with several arguments."""
    given = [(n, random.randrange(9)) for n in range(5)]
    return [pool.map(draw, range(7)), pool.map(draw, numbers(), 4), pool.starmap(add, given)]


def in_any_order(pool: ThreadPool) -> Any:
    """One by one, as they are done, and in their order."""
    found = [[*one, random.random()] for one in pool.imap_unordered(draw, numbers())]
    return [found, list(pool.imap(draw, numbers(), 2))]


def called_back(pool: ThreadPool) -> Any:
    """Functions are called with results and errors as they come; they ask the world too."""
    told: list[Any] = []

    def tell(result: Any) -> None:
        told.append([str(result), random.random()])

    for n in range(6):
        pool.apply_async(draw, (n,), callback=tell)
        pool.apply_async(fail, (n,), callback=tell, error_callback=tell)
    pool.map_async(draw, range(3), callback=tell).wait()
    while len(told) < 13:
        time.sleep(0.001)
    return told


def failing(pool: ThreadPool) -> Any:
    """Errors come back, and so does what is not there in time."""
    goes_on = threading.Event()
    late = pool.apply_async(goes_on.wait)
    try:
        late.get(0.01)
    except NotInTime:
        goes_on.set()
    with pytest.raises(ValueError, match="1 at") as caught:
        pool.apply(fail, (1,))
    return [late.get(), str(caught.value)]


def within_tasks(pool: ThreadPool) -> Any:
    """A task gives something to a pool itself."""

    def spread(number: int) -> Any:
        with ThreadPool(2) as own:
            return own.map(draw, range(number))

    return pool.map(spread, [2, 3, 1])


WORK = [mapped, in_any_order, called_back, failing, within_tasks]


@pytest.mark.parametrize("work", WORK)
def test_a_pool_of_the_request(work: Callable[[ThreadPool], Any], recordings: Path) -> None:
    """It is made for the request, and terminated at its end."""

    def view() -> Any:
        with ThreadPool(3) as pool:
            return work(pool)

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app, times=5)


@pytest.mark.parametrize("work", WORK)
def test_a_pool_of_the_process(work: Callable[[ThreadPool], Any], recordings: Path) -> None:
    """It was there before our hooks were, and remains."""
    with ThreadPool(3) as pool:
        app, recording = record_wsgi(recordings, lambda: work(pool))
        assert recording.response is not None
        assert recording.response.status == 200, recording.failure
        assert_identical(recording, app, times=5)


def test_a_pool_that_the_first_request_makes(recordings: Path) -> None:
    """The recording ends with what was given to it, and not with the pool."""
    pools: list[ThreadPool] = []

    def view() -> Any:
        if not pools:
            pools.append(ThreadPool(2))
        return pools[0].map(draw, range(5))

    app, recording = record_wsgi(recordings, view)
    pools.pop().terminate()
    assert_identical(recording, app, times=1)
    pools.pop().terminate()


def test_its_threads_are_prepared(recordings: Path) -> None:
    """Each calls the initializer, which asks the world."""
    here = threading.local()

    def prepare(most: float) -> None:
        here.share = random.uniform(0, most)

    def view() -> Any:
        with ThreadPool(1, prepare, (5.0,)) as pool:
            return pool.apply(lambda: [here.share, random.random()])

    app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)


def test_what_is_terminated_does_not_hold_the_recording_back(recordings: Path) -> None:
    """Nobody will ask for tasks that were not begun, or are under way."""
    begun, goes_on = threading.Semaphore(0), threading.Event()

    def work(_: int) -> None:
        begun.release()
        goes_on.wait()

    def view() -> Any:
        with ThreadPool(2) as pool:
            pool.map_async(work, range(9), 1)
            begun.acquire()
            begun.acquire()
        goes_on.set()
        return [random.random()]

    app, recording = record_wsgi(recordings, view)
    goes_on.clear()
    assert_identical(recording, app, times=1)


def test_threads_of_joblib(recordings: Path) -> None:
    """It gives out the next job when one is done."""

    def view() -> Any:
        with parallel_config(backend="threading", n_jobs=3):
            found = Parallel()(delayed(draw)(n) for n in numbers())
            as_done = Parallel(return_as="generator_unordered")
            return [found, list(as_done(delayed(draw)(n) for n in numbers()))]

    app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)
