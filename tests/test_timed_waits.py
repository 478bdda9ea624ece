"""Waits of threads that need not succeed come to what they came to, however fast a replay is."""

from __future__ import annotations

import queue
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.recorded import identical_body, record_wsgi
from tests.replay_report import replays
from tests.serving import get, under_gunicorn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONG, SHORT = 0.3, 0.05


def started(work: Callable[..., object], *args: object) -> threading.Thread:
    """Return a thread that has begun."""
    thread = threading.Thread(target=work, args=args)
    thread.start()
    return thread


def sets_later(event: threading.Event) -> None:
    """Set an event after some time, which a replay does not take."""
    time.sleep(LONG)
    event.set()


def an_event() -> Any:
    """Wait for one twice."""
    event = threading.Event()
    started(sets_later, event)
    return [event.wait(SHORT), event.wait(20)]


def an_event_of_a_thread() -> Any:
    """Have a thread wait for one again and again."""
    event, seen = threading.Event(), []

    def look() -> None:
        while not event.wait(SHORT):
            seen.append(False)

    thread = started(look)
    time.sleep(LONG)
    event.set()
    thread.join()
    return [len(seen)]


def a_semaphore() -> Any:
    """Try to get one until somebody gives it back."""
    semaphore, tried = threading.Semaphore(0), []

    def give() -> None:
        time.sleep(LONG)
        semaphore.release()

    started(give)
    while not (got := semaphore.acquire(timeout=SHORT)):
        tried.append(got)
    return [len(tried), semaphore.acquire(blocking=False)]


def a_lock() -> Any:
    """Try to get one that another thread holds."""
    lock, held = threading.Lock(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            time.sleep(LONG)

    started(hold)
    held.wait()
    tried = [lock.acquire(timeout=SHORT), lock.acquire(blocking=False)]
    with lock:
        return [*tried, lock.locked()]


def a_condition() -> Any:
    """Wait for one until there is something."""
    condition, box = threading.Condition(), []

    def put() -> None:
        time.sleep(LONG)
        with condition:
            box.append(random.random())
            condition.notify()

    started(put)
    waited = []
    with condition:
        while not box:
            waited.append(condition.wait(SHORT))
        return [waited, box, condition.wait_for(lambda: len(box) > 1, SHORT)]


def a_thread() -> Any:
    """Wait for its end."""
    thread = started(time.sleep, LONG)
    thread.join(SHORT)
    first = thread.is_alive()
    thread.join(20)
    return [first, thread.is_alive()]


def a_future() -> Any:
    """Ask for its result before it is there."""
    with ThreadPoolExecutor(2) as pool:
        future = pool.submit(time.sleep, LONG)
        try:
            future.result(timeout=SHORT)
        except TimeoutError as error:
            first = type(error).__name__
        try:
            list(pool.map(time.sleep, [LONG, LONG], timeout=SHORT))
        except TimeoutError as error:
            return [first, type(error).__name__, future.result(20)]


def a_queue() -> Any:
    """Ask again and again whether there is an item."""
    items: queue.Queue[float] = queue.Queue()

    def put() -> None:
        time.sleep(LONG)
        items.put(random.random())

    started(put)
    empty = 0
    while True:
        try:
            return [items.get(timeout=SHORT), empty]
        except queue.Empty:
            empty += 1


@pytest.mark.parametrize(
    "view",
    [
        *(an_event, an_event_of_a_thread, a_semaphore, a_lock, a_condition, a_thread),
        *(a_future, a_queue),
    ],
)
def test_it_comes_to_what_it_came_to(recordings: Path, view: Callable[[], Any]) -> None:
    """Another thread of the request is late, which it is not on replay."""
    app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)


@pytest.mark.parametrize("is_free", [True, False])
def test_a_lock_of_the_process(recordings: Path, is_free: bool) -> None:
    """On replay nobody else holds it, or somebody does."""
    lock, semaphore, event = threading.Lock(), threading.Semaphore(1), threading.Event()
    if not is_free:
        lock.acquire()
        semaphore.acquire()
    else:
        event.set()

    def view() -> Any:
        tried = [lock.acquire(timeout=0.01), semaphore.acquire(timeout=0.01), event.wait(0.01)]
        if tried[0]:
            lock.release()
            semaphore.release()
        return tried

    app, recording = record_wsgi(recordings, view)
    if not is_free:
        lock.release()
        semaphore.release()
        event.set()
    identical_body(recording, app)


WATCH = """
import queue
import threading

import retrace_mw

SEEN = {"event": 0, "condition": 0, "lock": 0, "queue": 0, "full": 0}
EVENT, CONDITION, LOCK = threading.Event(), threading.Condition(), threading.Lock()
ITEMS, FULL = queue.Queue(), queue.Queue(1)
ENOUGH = threading.Semaphore(0)
FULL.put(1)
LOCK.acquire()


def goes_on(look):
    while True:
        look()
        if SEEN[look.__name__] == 30:
            ENOUGH.release()


def event():
    SEEN["event"] += not EVENT.wait(0.02)


def condition():
    with CONDITION:
        SEEN["condition"] += not CONDITION.wait(0.021)


def lock():
    SEEN["lock"] += not LOCK.acquire(timeout=0.022)


def in_vain(name, use):
    try:
        use()
    except (queue.Empty, queue.Full):
        SEEN[name] += 1


# The names are those of what is counted.
exec("def queue_(): in_vain('queue', lambda: ITEMS.get(timeout=0.023))")
exec("def full(): in_vain('full', lambda: FULL.put(2, timeout=0.024))")
queue_.__name__ = "queue"

for look in (event, condition, lock, queue_, full):
    threading.Thread(target=goes_on, args=(look,), daemon=True).start()


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(SEEN).encode()]


app = retrace_mw.RetraceMiddleware(application)
for _ in SEEN:
    ENOUGH.acquire()
"""


def test_threads_of_the_start_up_have_waited_in_vain_as_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has counted some dozens of times when the request comes."""
    (tmp_path / "watch.py").write_text(WATCH)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    with under_gunicorn("watch:app", tmp_path / "recordings") as base:
        get(f"{base}/", {"X-Trace-ID": "seen"})
    replays("seen")
