"""Locks and memory between processes: on replay nobody else holds them, or writes there."""

from __future__ import annotations

import ctypes
import multiprocessing
import random
import struct
from multiprocessing.shared_memory import ShareableList, SharedMemory
from typing import TYPE_CHECKING, Any

import pytest

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORK = multiprocessing.get_context("fork")
CONTEXTS: list[Any] = [FORK, multiprocessing.get_context("spawn")]


class Point(ctypes.Structure):
    """Several numbers in one."""

    _fields_ = (("x", ctypes.c_double), ("y", ctypes.c_int))


def fills(value: Any, array: Any, text: Any, point: Any, done: Any) -> None:
    """Write what no other process would, and say so."""
    value.value += random.randrange(1000)
    array[0] = random.random()
    text.value = b"tea %d" % random.randrange(1000)
    point.x, point.y = random.random(), random.randrange(9)
    done.set()


def holds(lock: Any, held: Any, over: Any) -> None:
    """Hold a lock until told."""
    with lock:
        held.release()
        over.acquire()


def writes(name: str) -> None:
    """Write into memory of some name."""
    memory = SharedMemory(name)
    memory.buf[:8] = struct.pack("d", random.random())
    memory.close()


def passes(barrier: Any) -> None:
    """Wait for others at a barrier."""
    barrier.wait(20)


def identical(recordings: Path, view: Callable[[], Any]) -> None:
    """Record a view, whose processes are gone on replay."""
    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app, times=2)


@pytest.mark.parametrize("context", CONTEXTS)
def test_what_a_process_of_the_request_wrote(recordings: Path, context: Any) -> None:
    """Into a number, an array, a text and a structure."""

    def view() -> Any:
        shared = (
            *(context.Value("i", 5), context.Array("d", 2), context.Array("c", 16)),
            *(context.Value(Point, 0.0, 1), context.Event()),
        )
        process = context.Process(target=fills, args=shared)
        process.start()
        value, array, text, point, done = shared
        assert done.wait(30)
        process.join()
        with value.get_lock():
            value.value += 1
        whole = point.get_obj()
        return [value.value, array[:], text.value.decode(), point.x, [whole.x, whole.y]]

    identical(recordings, view)


def test_what_others_wrote_before_and_meanwhile(recordings: Path) -> None:
    """A counter of all workers, which each request raises: replay begins where it was."""
    counter, places = FORK.Value("i", 41), FORK.Array("i", [1, 2, 3])

    def view() -> Any:
        with counter:
            counter.get_obj().value += 1
            first = counter.value
        places[1] = first
        return [first, places[1], list(places), len(places)]

    app, recording = record_wsgi(recordings, view)
    counter.value, places[0] = 1000, 9  # another request of another worker
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app, times=2)


def test_a_lock_that_another_process_holds(recordings: Path) -> None:
    """It is not got, at once or in time; and then it is."""

    def view() -> Any:
        lock, held, over = FORK.Lock(), FORK.Semaphore(0), FORK.Semaphore(0)
        process = FORK.Process(target=holds, args=(lock, held, over))
        process.start()
        held.acquire()
        tried = [lock.acquire(False), lock.acquire(timeout=0.01), held.get_value()]
        over.release()
        with lock:
            tried.append(lock.acquire(block=False))
        process.join()
        return tried

    identical(recordings, view)


def test_an_event_and_a_barrier(recordings: Path) -> None:
    """Another process sets it, or comes to it."""

    def view() -> Any:
        event, barrier, condition = FORK.Event(), FORK.Barrier(2), FORK.Condition()
        before = [event.is_set(), event.wait(0.01)]
        with condition:
            before.append(condition.wait(0.01))
        process = FORK.Process(target=passes, args=(barrier,))
        process.start()
        barrier.wait(20)
        process.join()
        event.set()
        return [*before, event.is_set(), event.wait()]

    identical(recordings, view)


def test_memory_by_its_name(recordings: Path) -> None:
    """Made by the request, or before; written to by another process, and gone on replay."""
    before = SharedMemory(create=True, size=16)
    before.buf[:8] = struct.pack("d", random.random())

    def view() -> Any:
        old, new = SharedMemory(before.name), SharedMemory(create=True, size=16)
        process = FORK.Process(target=writes, args=(new.name,))
        process.start()
        process.join()
        found = [struct.unpack("d", one.buf[:8])[0] for one in (old, new)]
        again = SharedMemory(new.name)
        again.buf[9] = 7
        found += [new.name, new.size, new.buf[9]]
        for one in (old, new, again):
            one.close()
        new.unlink()
        try:
            SharedMemory(found[2])
        except FileNotFoundError as error:
            found.append(type(error).__name__)
        return found

    app, recording = record_wsgi(recordings, view)
    before.close()
    before.unlink()
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app, times=2)


def test_a_list_in_memory(recordings: Path) -> None:
    """It was there before; a request looks at it and changes it."""
    before = ShareableList(["tea", 3, None, random.random()])

    def view() -> Any:
        shelf = ShareableList(name=before.shm.name)
        shelf[1] = shelf[1] + 1
        found = [*shelf, len(shelf), shelf.count("tea")]
        shelf.shm.close()
        return found

    app, recording = record_wsgi(recordings, view)
    before.shm.close()
    before.shm.unlink()
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app, times=2)


def test_a_lock_of_a_replay_has_a_name_of_its_own(recordings: Path) -> None:
    """That of the recorded one may be taken still: it is one of the machine's."""
    names: list[str] = []

    def view() -> str:
        lock: Any = multiprocessing.get_context("spawn").Lock()
        names.append(lock._semlock.name)
        return "made"

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app, times=2)
    assert len(set(names)) == 3
