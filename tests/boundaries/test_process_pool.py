"""Work in a process pool: on replay no process is started, and the results come back."""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import os
import random
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

import pytest

from tests.recorded import assert_identical, record_asgi, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def draws(number: int, more: int = 0) -> tuple[int, float, int]:
    """Return what no other process would."""
    return number + more, random.random(), os.getpid()


def fails(number: int) -> None:
    """Raise an error with what only this process knows."""
    raise ValueError(f"{number} in {os.getpid()}")


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Return a pool, as an application has one."""
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawning) as made:
        yield made


def test_results_come_back(recordings: Path, pool: ProcessPoolExecutor) -> None:
    """One by one, by `map`, in the order in which they were done, and errors."""

    def view() -> Any:
        one = pool.submit(draws, 7, more=1)
        several: list[Future[Any]] = [pool.submit(functools.partial(draws, n)) for n in range(4)]
        done = [future.result() for future in as_completed(several)]
        failed = str(pool.submit(fails, 3).exception())
        return [one.result(), done, list(pool.map(draws, range(5), chunksize=2)), failed]

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app, times=2)


def test_in_an_event_loop(recordings: Path, pool: ProcessPoolExecutor) -> None:
    """By `run_in_executor`, several at once."""

    async def view() -> object:
        loop = asyncio.get_running_loop()
        return await asyncio.gather(*(loop.run_in_executor(pool, draws, n) for n in range(4)))

    app, recording = record_asgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app, times=2)


def test_a_pool_of_the_requests_own(recordings: Path) -> None:
    """It is shut down in the end, when all of its work is done."""

    def view() -> Any:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as own:
            futures = [own.submit(draws, number) for number in range(2)]
        return [[future.done(), future.result()] for future in futures]

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app, times=2)


def breaks() -> None:
    """End the process that works."""
    os._exit(3)


def test_a_pool_that_breaks(recordings: Path) -> None:
    """What was under way fails, and so does what is submitted then."""

    def view() -> Any:
        spawning = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawning) as own:
            failed = [type(own.submit(breaks).exception()).__name__]
            try:
                own.submit(draws, 1)
            except BrokenProcessPool as error:
                failed.append(type(error).__name__)
        return failed

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.body == [b'["BrokenProcessPool","BrokenProcessPool"]\n']
    assert_identical(recording, app, times=2)


def test_an_error_has_its_cause(recordings: Path, pool: ProcessPoolExecutor) -> None:
    """That is the traceback in the other process."""

    def view() -> Any:
        error = pool.submit(fails, 3).exception()
        assert error is not None
        return [type(error.__cause__).__name__, "in fails" in str(error.__cause__)]

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.body == [b'["_RemoteTraceback",true]\n']
    assert_identical(recording, app, times=2)
