"""A divergence in a thread that the request waits for ends the replay, and not the patience."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core import replay
from retrace_core.replay import unblocking
from tests.recorded import record_asgi, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


class Writer:
    """A thread that executes statements for whoever puts them, as Datasette has one."""

    def __init__(self, statement: str, database: Path) -> None:
        self.statement = statement
        self.database = database

    def run(self, answers: Any) -> None:
        """Answer once; a failure that is no Exception ends the thread, and nobody is told."""
        connection = sqlite3.connect(self.database)
        try:
            answers.put(connection.execute(self.statement).fetchone()[0])
        finally:
            connection.close()


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Writer:
    """Return a writer whose threads die in silence."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    return Writer("SELECT 1", tmp_path / "shop.db")


@pytest.mark.timeout(30)
def test_a_view_that_waits_for_a_thread(recordings: Path, writer: Writer) -> None:
    """WSGI, on the main thread."""

    def view() -> str:
        answers: queue.Queue[int] = queue.Queue()
        threading.Thread(target=writer.run, args=(answers,), daemon=True).start()
        return str(answers.get())

    app, recording = record_wsgi(recordings, view)
    writer.statement = "SELECT 2"
    result = replay(recording, app)
    assert result.divergence is not None
    assert "SELECT 2" in str(result.divergence.asked_key)


@pytest.mark.timeout(30)
def test_a_handler_that_waits_for_a_thread(recordings: Path, writer: Writer) -> None:
    """ASGI, on the event loop."""

    async def handler() -> str:
        answers: queue.Queue[int] = queue.Queue()
        work = threading.Thread(target=writer.run, args=(answers,), daemon=True)
        work.start()
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[int] = loop.create_future()
        thread = threading.Thread(
            target=lambda: loop.call_soon_threadsafe(answered.set_result, answers.get()),
            daemon=True,
        )
        thread.start()
        answer = await answered
        for one in (work, thread):
            one.join()
        return str(answer)

    app, recording = record_asgi(recordings, handler)
    writer.statement = "SELECT 2"
    result = replay(recording, app)
    assert result.divergence is not None
    assert "SELECT 2" in str(result.divergence.asked_key)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("record", [record_wsgi, record_asgi])
def test_an_earlier_request_that_hangs_has_a_limit_of_its_own(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, record: Any
) -> None:
    """The request in question is replayed after it, all the same; and it is told which one hung."""
    monkeypatch.setattr(unblocking, "_LEAST_S", 0.5)
    hangs = False

    def wait() -> str:
        nonlocal hangs
        if hangs:
            hangs = False  # the first of the two
            threading.Event().wait()
        return "done"

    async def wait_in_loop() -> str:
        nonlocal hangs
        if hangs:
            hangs = False
            await asyncio.get_running_loop().create_future()
        return "done"

    app, recording = record(recordings, wait if record is record_wsgi else wait_in_loop)
    hangs = True
    result = replay(recording, app, before=[recording])
    assert result.identical, result.summary()
    assert any("of 1 earlier requests run first, 1 diverged" in note for note in result.notes)
