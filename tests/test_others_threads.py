"""A thread that one request started is seen by a later one as it was when it was recorded."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import flask

from retrace_core import load, replay, writer
from retrace_mw import RetraceMiddleware
from tests.recorded import record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core import Recording


def make_app() -> tuple[flask.Flask, threading.Event, list[threading.Thread]]:
    """Return an application that begins work in a thread, and says whether it still goes on."""
    app = flask.Flask("shop")
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    may_end = threading.Event()
    started: list[threading.Thread] = []

    @app.get("/begin")
    def begin() -> str:
        started.append(threading.Thread(target=may_end.wait, args=(20,)))
        started[-1].start()
        return "begun"

    @app.get("/poll")
    def poll() -> list[bool]:
        seen = [thread.is_alive() for thread in threading.enumerate() if thread is started[-1]]
        return [*seen, started[-1].is_alive()]

    return app, may_end, started


def record(folder: Path) -> list[Recording]:
    """Record one that begins, one that polls while the work goes on, and one after it."""
    app, may_end, started = make_app()
    client = app.test_client()
    assert client.get("/begin").text == "begun"
    assert client.get("/poll").json == [True, True]
    may_end.set()
    started[-1].join()
    assert client.get("/poll").json == [False]
    assert writer.flush(10)
    recordings = [load(path) for path in folder.glob("*/*/*.bin")]
    return sorted(recordings, key=lambda one: one.header.started_ns)


def test_work_that_went_on_is_seen_to_go_on(recordings: Path) -> None:
    """On replay the thread has ended by then, and is shown as alive, as it was recorded."""
    first, during, _ = record(recordings)
    app, may_end, _ = make_app()
    may_end.set()
    result = replay(during, app, before=[first])
    assert result.identical, result.summary()


def test_work_that_had_ended_is_seen_to_have_ended(recordings: Path) -> None:
    """A request after it sees no such thread."""
    first, during, after = record(recordings)
    app, may_end, _ = make_app()
    may_end.set()
    result = replay(after, app, before=[first, during])
    assert result.identical, result.summary()


def test_its_own_threads_are_no_events(recordings: Path) -> None:
    """A request that looks at the threads that it has started itself records nothing of it."""
    app = flask.Flask("shop")
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]

    @app.get("/")
    def view() -> list[bool]:
        thread = threading.Thread(target=str)
        thread.start()
        thread.join()
        return [thread.is_alive(), thread in threading.enumerate()]

    app.test_client().get("/")
    assert writer.flush(10)
    (recording,) = map(load, recordings.glob("*/*/*.bin"))
    kinds = [event.kind for lane in recording.lanes for event in lane.events]
    assert not [kind for kind in kinds if kind.startswith("free.thread.")]


def test_a_status_page_counts_the_threads_that_there_were(recordings: Path) -> None:
    """Those of the server, and of what else ran in the process: a replay has none of them."""
    may_end = threading.Event()
    worker = threading.Thread(target=may_end.wait, args=(20,))
    worker.start()
    app, recording = record_wsgi(recordings, lambda: str(threading.active_count()))
    may_end.set()
    worker.join()
    result = replay(recording, app)
    assert result.identical, result.summary()
