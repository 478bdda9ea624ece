"""Processes of `multiprocessing`: on replay none is started, and what came from them comes back."""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
from multiprocessing import TimeoutError as NotInTime
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.errors import LiveCallRefused
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTEXTS: list[Any] = [multiprocessing.get_context(name) for name in ("fork", "spawn")]


def draws(number: int, more: int = 0) -> tuple[int, float, int]:
    """Return what no other process would."""
    return number + more, random.random(), os.getpid()


def fails(number: int) -> None:
    """Raise an error with what only this process knows."""
    raise ValueError(f"{number} in {os.getpid()}")


def puts(queue: Any, number: int) -> None:
    """Put into a queue what no other process would."""
    for one in range(number):
        queue.put({"drawn": draws(one)})


def answers(end: Any) -> None:
    """Answer what comes by a pipe."""
    while (asked := end.recv()) is not None:
        end.send(draws(asked))
    end.send_bytes(b"over")


def ends_with(status: int) -> None:
    """End as it is told."""
    os._exit(status)


def identical(recordings: Path, view: Callable[[], Any]) -> None:
    """Record a view, whose processes are gone on replay."""
    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app, times=2)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("kind", ["Queue", "SimpleQueue", "JoinableQueue"])
def test_what_comes_by_a_queue(recordings: Path, context: Any, kind: str) -> None:
    """A process puts, and the request gets; then it is over."""

    def view() -> Any:
        queue = getattr(context, kind)()
        process = context.Process(target=puts, args=(queue, 3))
        process.start()
        got = [queue.get() for _ in range(3)]
        process.join(20)
        return [got, process.exitcode, process.is_alive(), process.pid, queue.empty()]

    identical(recordings, view)


@pytest.mark.parametrize("context", CONTEXTS)
def test_what_comes_by_a_pipe(recordings: Path, context: Any) -> None:
    """Objects, bytes, and whether anything is there."""

    def view() -> Any:
        mine, theirs = context.Pipe()
        process = context.Process(target=answers, args=(theirs,), daemon=True)
        process.start()
        got = []
        for number in range(3):
            mine.send(number)
            assert wait([mine], 20) == [mine]
            got.append([mine.poll(20), mine.recv()])
        mine.send(None)
        got.append(mine.recv_bytes().decode())
        process.join()
        return got

    identical(recordings, view)


@pytest.mark.parametrize("context", CONTEXTS)
def test_how_it_ended(recordings: Path, context: Any) -> None:
    """By itself, with a status, or by a signal."""

    def view() -> Any:
        failing = context.Process(target=ends_with, args=(7,))
        failing.start()
        failing.join()
        mine, theirs = context.Pipe()
        waiting = context.Process(target=answers, args=(theirs,))
        waiting.start()
        waiting.join(timeout=0.01)
        was_alive = waiting.is_alive()
        waiting.terminate()
        waiting.join()
        mine.close()
        code = waiting.exitcode
        waiting.close()
        return [failing.exitcode, was_alive, code]

    identical(recordings, view)


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_queue_in_which_nothing_comes(recordings: Path, context: Any) -> None:
    """Is found empty again, though nobody waits as long."""

    def view() -> Any:
        queue = context.Queue()
        try:
            queue.get(timeout=0.05)
        except Exception as error:
            return type(error).__name__

    identical(recordings, view)


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_pool(recordings: Path, context: Any) -> None:
    """By each way of giving it work, and errors."""

    def view() -> Any:
        called: list[Any] = []
        failed = ""
        with context.Pool(2) as pool:
            one = pool.apply(draws, (1,), {"more": 2})
            later = pool.apply_async(draws, (4,), callback=called.append)
            later.wait()
            assert later.ready()
            assert later.successful()
            several = [pool.map(draws, range(5)), pool.starmap(draws, [(1, 2), (3, 4)])]
            drawn = list(pool.imap(draws, (n for n in range(4))))
            drawn += pool.imap(draws, range(4), chunksize=2)
            drawn += pool.imap_unordered(draws, range(4))
            try:
                pool.apply(fails, (3,))
            except ValueError as error:
                failed = str(error)
            pool.close()
            pool.join()
        return [one, later.get(), called, several, drawn, failed]

    identical(recordings, view)


def test_a_pool_of_the_process(recordings: Path) -> None:
    """Made before the request came, as by a start-up; one result is not in time."""
    with CONTEXTS[1].Pool(1) as pool:

        def view() -> Any:
            result = pool.apply_async(draws, (4,))
            try:
                pool.apply_async(answers, (pool,)).get(0.01)
            except (NotInTime, NotImplementedError) as error:
                return [result.get(), type(error).__name__]

        identical(recordings, view)


def test_no_process_is_started_on_replay(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor would one be, past all that: the closed world refuses it."""

    def view() -> Any:
        queue = CONTEXTS[0].Queue()
        process = CONTEXTS[0].Process(target=puts, args=(queue, 1))
        process.start()
        return queue.get()

    app, recording = record_wsgi(recordings, view)

    def forks() -> int:
        raise LiveCallRefused("os.fork", "")

    monkeypatch.setattr(os, "fork", forks)
    assert_identical(recording, app, times=1)


def test_it_is_hooked_whoever_imports_it_first() -> None:
    """A module of the package is imported before the package itself is whole."""
    told = (
        "from retrace_core import installer; installer.install();"
        "import multiprocessing, multiprocessing.pool, multiprocessing.queues;"
        "from multiprocessing.process import BaseProcess as one;"
        "calls = (one.start, multiprocessing.pool.Pool.imap, multiprocessing.queues.Queue.get,"
        " multiprocessing.connection.Connection.recv);"
        "print(*(hasattr(call, '__wrapped__') for call in calls))"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True)
    assert done.stdout.split() == ["True"] * 4, done.stderr
