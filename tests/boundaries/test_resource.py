"""What machine and process have and use is, on replay, what the recorded ones had and used."""

from __future__ import annotations

import multiprocessing
import os
import resource
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from typing import TYPE_CHECKING, Any

from tests.recorded import assert_identical, identical_body, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_the_process_has_used(recordings: Path) -> None:
    """It goes on using more."""

    def view() -> list[Any]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        again = resource.getrusage(resource.RUSAGE_SELF)
        times = os.times()
        return [usage.ru_maxrss, usage.ru_utime, again[:4], times.user, times, os.getloadavg()]

    app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)


def test_a_machine_with_other_processors(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pools are as large as they were, and so in how many pieces their work is done."""

    def view() -> list[Any]:
        with ThreadPool() as pool, ThreadPoolExecutor() as executor:
            done = pool.map(str, range(50))
            return [done, executor._max_workers, multiprocessing.cpu_count()]

    processors = 3
    for name in ("cpu_count", "process_cpu_count"):
        if hasattr(os, name):
            monkeypatch.setattr(os, name, lambda: processors)
    app, recording = record_wsgi(recordings, view)
    processors = 16
    assert_identical(recording, app)
