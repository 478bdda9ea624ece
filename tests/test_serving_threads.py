"""Threads of a server: a replayed request finds what its own thread keeps, and no other's."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import flask
import pytest

from retrace_core import load, replay, writer
from retrace_mw import RetraceMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retrace_core import Recording

LEFT: ContextVar[int] = ContextVar("left", default=0)


class Kept(threading.local):
    """What each thread keeps for itself."""

    visits = 0


def served(recordings: Path, view: Callable[[], Any], order: str) -> tuple[Any, list[Recording]]:
    """Have requests served by named threads, one after the other; "0" is the main one."""
    app = flask.Flask("shop")
    app.add_url_rule("/", view_func=view)
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    pools = {name: ThreadPoolExecutor(1, thread_name_prefix=name) for name in set(order) - {"0"}}
    for name in order:
        ask = app.test_client().get
        pools[name].submit(ask, "/").result() if name in pools else ask("/")
    for pool in pools.values():
        pool.shutdown()
    assert writer.flush(10)
    found = [load(path) for path in recordings.glob("*/*/*.bin")]
    assert len(found) == len(order)
    return app, sorted(found, key=lambda one: one.header.started_ns)


def said(recording: Recording) -> str:
    """Return the text of a recorded response."""
    assert recording.response is not None
    return b"".join(recording.response.body).decode()


@pytest.mark.parametrize("order", ["ABAAB", "A0A0B0"])
def test_what_a_thread_keeps(recordings: Path, order: str) -> None:
    """Its requests before this one have left it; those of other threads have not."""
    kept = Kept()

    def view() -> str:
        kept.visits += 1
        return f"visit {kept.visits}"

    app, found = served(recordings, view, order)
    expected = [f"visit {order[: place + 1].count(name)}" for place, name in enumerate(order)]
    assert [said(one) for one in found] == expected
    for place, one in enumerate(found):
        kept.__dict__.clear()  # of the main thread, which the test is in
        result = replay(one, app, before=found[:place])
        assert result.identical, result.summary()


def test_a_context_variable_that_nobody_reset(recordings: Path) -> None:
    """Is there in the next request of its thread."""

    def view() -> str:
        LEFT.set(LEFT.get() + 1)
        return str(LEFT.get())

    app, found = served(recordings, view, "ABA")
    assert [said(one) for one in found] == ["1", "1", "2"]
    result = replay(found[-1], app, before=found[:-1])
    assert result.identical, result.summary()


def test_what_needs_the_main_thread(recordings: Path) -> None:
    """Fails on replay as it had failed."""

    def view() -> str:
        try:
            asyncio.get_event_loop_policy().get_event_loop()
        except RuntimeError as error:
            return str(error)
        return "there is one"

    app, (recording,) = served(recordings, view, "A")
    assert said(recording) == "There is no current event loop in thread 'A_0'."
    result = replay(recording, app)
    assert result.identical, result.summary()


@pytest.mark.timeout(30)
def test_a_request_that_hangs_on_its_thread(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is not waited for once it has diverged."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    statement = "SELECT 1"

    def work(answers: SimpleQueue[int]) -> None:
        connection = sqlite3.connect(tmp_path / "shop.db")
        answers.put(connection.execute(statement).fetchone()[0])
        connection.close()

    def view() -> str:
        answers: SimpleQueue[int] = SimpleQueue()
        threading.Thread(target=work, args=(answers,), daemon=True).start()
        return str(answers.get())

    app, (recording,) = served(recordings, view, "A")
    statement = "SELECT 2"
    result = replay(recording, app)
    assert result.divergence is not None
    assert "SELECT 2" in str(result.divergence.asked_key)
