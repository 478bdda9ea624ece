"""The work that a queue hands to a thread of the process is in the recording of who asked."""

from __future__ import annotations

import _queue
import asyncio
import queue
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import flask
import pytest
import werkzeug.test

from retrace_core import installer, load, replay, writer
from retrace_core.concurrency.item_lanes import CARRIED
from retrace_core.lanes import mask
from retrace_mw import RetraceMiddleware
from tests.recorded import assert_identical, record_asgi, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retrace_core import Recording


class Scribe:
    """Writes to a database for everybody, on a thread of its own; the usual way with SQLite."""

    def __init__(self, path: Path, orders: Any) -> None:
        self.path = path
        self.orders = orders
        self.thread = threading.Thread(target=self._work)
        self.thread.start()

    def _work(self) -> None:
        with closing(sqlite3.connect(self.path)) as db:
            db.execute("create table if not exists note (id integer primary key, text)")
            while (order := self.orders.get()) is not None:
                text, answer = order
                with db:
                    number = db.execute("insert into note (text) values (?)", (text,)).lastrowid
                answer(number)

    def ask(self, text: str, answer: Any) -> None:
        """Have a text written down; `answer` is called with its number."""
        self.orders.put((text, answer))

    def end(self) -> None:
        """End the thread."""
        self.orders.put(None)
        self.thread.join()


@pytest.fixture(params=["Queue", "SimpleQueue"])
def scribe(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scribe]:
    """A scribe at work, which no request has started."""
    installer.install()  # connections that were opened before are not known
    CARRIED.clear()  # as in a process that has just begun
    scribe = Scribe(tmp_path / "notes.db", getattr(queue, request.param)())
    yield scribe
    scribe.end()


def written(scribe: Scribe, text: str) -> str:
    """Have a text written down, and wait for its number."""
    answers: queue.Queue[int] = queue.Queue()
    scribe.ask(text, answers.put)
    return f"{text} is number {answers.get(timeout=10)}"


def lanes_of_items(recording: Recording) -> dict[str, list[str]]:
    """Return the kinds of the events of each lane of an item."""
    return {
        lane.id: [event.kind for event in lane.events if hasattr(event, "kind")]
        for lane in recording.lanes
        if ".q" in lane.id
    }


def test_a_thread_that_serves_all_works_in_a_lane_of_who_asked(
    recordings: Path, scribe: Scribe
) -> None:
    """What it asked of the database for this request is in this recording, and comes back."""
    app, recording = record_wsgi(recordings, lambda: written(scribe, "one"))
    scribe.path.unlink()
    assert "sqlite3.execute" in lanes_of_items(recording)["0.q0"]
    assert_identical(recording, app)
    assert not scribe.path.exists()


def test_a_coroutine_that_waits_for_such_a_thread_gets_its_answer(
    recordings: Path, scribe: Scribe
) -> None:
    """As where a web page waits for a write."""

    async def page() -> str:
        loop = asyncio.get_running_loop()
        number = loop.create_future()
        scribe.ask("two", lambda found: loop.call_soon_threadsafe(number.set_result, found))
        return f"number {await number}"

    app, recording = record_asgi(recordings, page)
    assert "sqlite3.execute" in lanes_of_items(recording)["0.q0"]
    assert_identical(recording, app)


def test_each_of_two_requests_has_its_own(recordings: Path, scribe: Scribe) -> None:
    """The thread turns from one recording to the next with each item."""
    app = flask.Flask("shop")
    app.add_url_rule("/<text>", view_func=lambda text: written(scribe, text))
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    for text in ("first", "second"):
        app.test_client().get(f"/{text}")
    written(scribe, "by nobody")
    assert writer.flush(10)
    found = [load(path) for path in recordings.glob("*/*/*.bin")]
    assert len(found) == 2
    for recording in found:
        assert list(lanes_of_items(recording)) == ["0.q0"]
        assert replay(recording, app).identical


def test_a_thread_that_the_request_started_keeps_its_own_lane(recordings: Path) -> None:
    """Its work is in this recording already."""

    def view() -> str:
        orders: queue.Queue[Any] = queue.Queue()
        doubled: queue.Queue[int] = queue.Queue()
        thread = threading.Thread(target=lambda: doubled.put(2 * orders.get()))
        thread.start()
        orders.put(21)
        thread.join()
        return str(doubled.get())

    app, recording = record_wsgi(recordings, view)
    assert not lanes_of_items(recording)
    assert_identical(recording, app)


def test_a_connection_out_of_a_pool_brings_no_lane(recordings: Path) -> None:
    """A thread in the midst of a request that is not recorded stays out of the one that is."""
    pool: queue.Queue[sqlite3.Connection] = queue.Queue()
    pool.put(sqlite3.connect(":memory:", check_same_thread=False))

    def select() -> str:
        db = pool.get()
        found = db.execute("select 1").fetchone()
        pool.put(db)
        return str(found)

    other = flask.Flask("other")
    other.add_url_rule("/", view_func=select)
    unrecorded = RetraceMiddleware(other.wsgi_app, sample_rate=0)

    def view() -> str:
        found = select()
        with mask():  # a thread of the server's
            thread = threading.Thread(target=lambda: werkzeug.test.Client(unrecorded).get("/"))
            thread.start()
        thread.join()
        return found

    _, recording = record_wsgi(recordings, view)
    assert not lanes_of_items(recording)


def test_an_object_that_is_in_the_queue_already_is_not_taken_for_the_requests(
    recordings: Path,
) -> None:
    """A signal to wake up is the same object, whoever puts it there."""
    signals: queue.Queue[Any] = queue.Queue()
    signals.put(True)  # by nobody
    got = threading.Semaphore(0)

    def work() -> None:
        number = 0
        while signals.get():
            with closing(sqlite3.connect(":memory:")) as db:
                db.execute(f"select {number}")
            number += 1
            got.release()

    thread = threading.Thread(target=work)

    def view() -> str:
        signals.put(True)
        with mask():
            thread.start()
        for _ in range(2):
            assert got.acquire(timeout=10)
        return "woken"

    _, recording = record_wsgi(recordings, view)
    signals.put(False)
    thread.join()
    lane = recording.lane("0.q0")
    assert lane is not None
    keys = [event.key for event in lane.events if getattr(event, "kind", "") == "sqlite3.execute"]
    assert keys == ["select 1"]


@pytest.mark.parametrize("kind", ["Queue", "LifoQueue", "PriorityQueue", "SimpleQueue"])
@pytest.mark.parametrize("filled_again", [True, False])
def test_what_other_threads_hand_over_is_kept_by_its_value(
    recordings: Path, kind: str, filled_again: bool
) -> None:
    """So that a replay needs none of their work; where it has the same, that is taken."""
    installer.install()
    draws: Any = getattr(queue, kind)()

    def fill() -> None:
        for number in range(2):
            draws.put((number, "drawn"))

    def view() -> str:
        seen: list[Any] = [draws.get(timeout=5), draws.get_nowait()]
        if kind != "SimpleQueue":
            draws.task_done()
        return str(seen)

    fill()
    app, recording = record_wsgi(recordings, view)
    for _ in range(2):
        if filled_again:
            fill()
        assert_identical(recording, app, times=1)
        assert draws.empty()


def test_what_is_no_data_comes_out_of_the_queue_itself(recordings: Path) -> None:
    """A pool of connections, say, is filled by the replay's own start-up."""
    pool: queue.Queue[Any] = queue.Queue()
    pool.put(threading.Lock())

    def view() -> str:
        lock = pool.get(timeout=5)
        pool.put(lock)
        return type(lock).__name__

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)
    assert pool.qsize() == 1


def test_pools_of_threads_keep_the_queue_that_they_had() -> None:
    """They ask for it with each thread, and must not pay for us."""
    installer.install()
    with ThreadPoolExecutor(1) as pool:
        assert type(pool._work_queue) is _queue.SimpleQueue
    assert isinstance(pool._work_queue, queue.SimpleQueue)
    assert isinstance(queue.SimpleQueue(), _queue.SimpleQueue)


def test_a_subclass_of_the_simple_queue() -> None:
    """Applications make their own, with arguments."""
    installer.install()

    class Named(queue.SimpleQueue):  # type: ignore[type-arg]
        def __init__(self, name: str) -> None:
            self.name = name

    named = Named("orders")
    named.put("tea")
    assert (named.name, named.get(), named.empty()) == ("orders", "tea", True)
    assert isinstance(named, queue.SimpleQueue)
    assert not isinstance(queue.SimpleQueue[int](), Named)
    with pytest.raises(queue.Empty):
        named.get_nowait()


@pytest.mark.parametrize("kind", ["Queue", "SimpleQueue", "asyncio"])
def test_each_time_it_is_known_whether_it_gets_its_own(recordings: Path, kind: str) -> None:
    """Its own items come out of its own queue, between those that are in the recording."""
    installer.install()
    make: Any = asyncio.Queue if kind == "asyncio" else getattr(queue, kind)
    foreign = make()

    def fill() -> None:
        for number in range(3):
            foreign.put_nowait(f"foreign {number}")
        foreign.put_nowait(threading.Lock())
        foreign.put_nowait("last")

    async def page() -> list[str]:
        own = make()
        own.put_nowait("own 0")
        seen: list[Any] = [own.get_nowait(), foreign.get_nowait()]
        with pytest.raises((queue.Empty, asyncio.QueueEmpty)):
            own.get_nowait()
        seen += [foreign.get_nowait(), foreign.get_nowait()]
        own.put_nowait("own 1")
        if kind == "asyncio":
            seen.append(await own.get())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(own.get(), 0.01)
            return [*seen, type(await foreign.get()).__name__, await foreign.get()]
        return [*seen, own.get(), type(foreign.get()).__name__, foreign.get()]

    fill()
    app, recording = record_asgi(recordings, page)
    assert recording.response is not None
    assert b"own 1" in b"".join(recording.response.body)
    for _ in range(2):
        foreign.put_nowait(threading.Lock())  # what is no data
        assert_identical(recording, app, times=1)
