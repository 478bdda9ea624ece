"""Managers of `multiprocessing`: on replay there is no such process, and its answers come back."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import queue
import random
from multiprocessing.managers import BaseManager
from typing import TYPE_CHECKING, Any

import pytest

from tests.recorded import assert_identical, record_asgi, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.managers import SyncManager
    from pathlib import Path

CONTEXTS: list[Any] = [multiprocessing.get_context(name) for name in ("fork", "spawn")]


class Till:
    """Counts in the manager's process, as an application's own class may."""

    def __init__(self, first: int) -> None:
        self.sum = first

    def add(self, more: int) -> tuple[int, int]:
        """Return the sum, and whose it is."""
        self.sum += more
        return self.sum, os.getpid()

    def fail(self) -> None:
        """Raise what only that process knows."""
        raise LookupError(f"in {os.getpid()}")


class Shop(BaseManager):
    """A manager with a type of its own."""


Shop.register("Till", Till)


@pytest.fixture(autouse=True)
def _nothing_to_collect() -> None:
    """Give back now what tests before had, which was made before our hooks were there."""
    gc.collect()


@pytest.fixture(scope="module")
def manager() -> Iterator[SyncManager]:
    """Return a manager, as an application has one."""
    with multiprocessing.get_context("spawn").Manager() as made:
        yield made


def works(given: Any, words: Any, done: Any) -> None:
    """Answer in another process what comes by a queue."""
    while (asked := given.get()) is not None:
        words[asked] = [random.random(), os.getpid()]
        done.put(asked)


def identical(recordings: Path, view: Callable[[], Any]) -> None:
    """Record a view, whose manager is out of reach on replay."""
    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app, times=2)


def test_objects_that_were_there_before(recordings: Path, manager: SyncManager) -> None:
    """A dictionary, a list, a queue, a namespace, a value: asked, and changed by requests."""
    words: Any = manager.dict({"tea": 1, "salt": [2, None]})
    numbers: Any = manager.list([random.random(), 2])
    items, space, value = manager.Queue(), manager.Namespace(), manager.Value("i", 7)
    items.put({"first": (1, 2)})
    space.price = random.random()

    def view() -> Any:
        words["rice"] = len(words)
        numbers.append(words.get("rice"))
        value.value += 1
        found = [sorted(words.keys()), dict(words.items()), list(words), "tea" in words, str(words)]
        found += [numbers[:], numbers[0], space.price, value.value, items.get(), items.empty()]
        for ask in (lambda: words["nothing"], lambda: items.get(timeout=0.01)):
            try:
                ask()
            except (KeyError, queue.Empty) as error:
                found.append(repr(error))
        return found

    identical(recordings, view)


def test_locks_that_were_there_before(recordings: Path, manager: SyncManager) -> None:
    """Held by somebody else, or free; and an event."""
    held, free, event = manager.Lock(), manager.RLock(), manager.Event()
    held.acquire()

    def view() -> Any:
        with free:
            got = held.acquire(False)
        late = held.acquire(True, 0.01)
        before = [event.is_set(), event.wait(0.01)]
        event.set()
        return [got, late, before, event.is_set()]

    identical(recordings, view)


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_manager_and_a_process_of_the_request(recordings: Path, context: Any) -> None:
    """Both are the request's own: what a process did with what they share comes back."""

    def view() -> Any:
        with context.Manager() as own:
            given, words, done = own.Queue(), own.dict(), own.Queue()
            process = context.Process(target=works, args=(given, words, done))
            process.start()
            for word in ("tea", "salt", None):
                given.put(word)
            got = [done.get(), done.get()]
            process.join()
            return [got, words.copy(), own.address]

    identical(recordings, view)


def test_an_object_in_an_object(recordings: Path, manager: SyncManager) -> None:
    """A list in a dictionary is asked as one of its own."""
    shelves: Any = manager.dict()
    shelves["tea"] = manager.list([random.random()])

    def view() -> Any:
        shelf = shelves["tea"]
        shelf.append(2)
        return [shelf[0], len(shelves["tea"]), [one for one in shelf]]

    identical(recordings, view)


def test_a_class_of_the_applications(recordings: Path) -> None:
    """It was made when a request came, or is made in it; its errors come back."""
    with Shop(ctx=multiprocessing.get_context("spawn")) as shop:
        old = shop.Till(3)  # type: ignore[attr-defined]

        def view() -> Any:
            new = shop.Till(5)  # type: ignore[attr-defined]
            try:
                new.fail()
            except LookupError as error:
                return [old.add(1), new.add(1), str(error)]

        identical(recordings, view)


def test_a_manager_of_another_program(recordings: Path) -> None:
    """It is connected to, and out of reach on replay."""
    with Shop(ctx=multiprocessing.get_context("spawn"), authkey=b"shop") as shop:

        def view() -> Any:
            remote = Shop(shop.address, authkey=b"shop")
            remote.connect()
            return list(remote.Till(1).add(2))  # type: ignore[attr-defined]

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert_identical(recording, app, times=2)


def test_in_threads_of_an_event_loop(recordings: Path, manager: SyncManager) -> None:
    """Each asks over a connection of its own thread."""
    words: Any = manager.dict({str(number): random.random() for number in range(5)})

    async def view() -> object:
        return await asyncio.gather(*(asyncio.to_thread(words.get, str(n)) for n in range(5)))

    app, recording = record_asgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert not recording.holes
    assert_identical(recording, app, times=2)
