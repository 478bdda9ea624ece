"""A thread that polls for another's work may sleep oftener on replay, or less often."""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core import replay
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


def _drawn(file: Path) -> Any:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT random()").fetchone()[0]


@pytest.mark.parametrize("now", [0, 1, 5])
def test_sleeps_beside_a_thread(recordings: Path, tmp_path: Path, now: int) -> None:
    """How often it sleeps is by chance; what it asks after that is answered as recorded."""
    times = 3

    def view() -> Any:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(_drawn, tmp_path / "one.db")
            for _ in range(times):
                time.sleep(0.001)
            return {"drawn": [first.result(), _drawn(tmp_path / "one.db")]}

    app, recording = record_wsgi(recordings, view)
    times = now
    assert_identical(recording, app)


@pytest.mark.parametrize("now", [0, 1, 5])
def test_sleeps_last(recordings: Path, tmp_path: Path, now: int) -> None:
    """So it is where nothing is asked after them."""
    times = 3

    def view() -> Any:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(_drawn, tmp_path / "one.db")
            for _ in range(times):
                time.sleep(0.001)
            return {"drawn": first.result()}

    app, recording = record_wsgi(recordings, view)
    times = now
    assert_identical(recording, app)


def test_sleep_without_end(recordings: Path, tmp_path: Path) -> None:
    """What never comes is waited for as long as the replay is patient."""
    comes = True

    def view() -> Any:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(_drawn, tmp_path / "one.db").result()
        while not comes:
            time.sleep(0.001)
        return {"drawn": [first, _drawn(tmp_path / "one.db")]}

    app, recording = record_wsgi(recordings, view)
    comes = False
    result = replay(recording, app, patience_s=0.2)
    assert result.divergence is not None
    assert result.divergence.asked_kind == "time.sleep"


def test_sleep_of_the_only_lane(recordings: Path) -> None:
    """Who waits for nobody sleeps as often as recorded."""
    times = 1

    def view() -> Any:
        for _ in range(times):
            time.sleep(0.001)
        return {}

    app, recording = record_wsgi(recordings, view)
    times = 2
    assert replay(recording, app).divergence is not None
