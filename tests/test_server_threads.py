"""A thread that a tracer starts once in its process is no lane of the request that did so."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("tracer", ["newrelic.core.application", "elasticapm.transport.base"])
def test_a_tracer_begins_to_report(recordings: Path, tracer: str) -> None:
    """When recorded it had begun before; a replay is the first request of its process."""
    has_begun = True

    def report() -> None:
        random.random()

    report.__module__ = tracer

    def view() -> Any:
        drawn: list[float] = []
        threads = [threading.Thread(target=lambda: drawn.append(random.random()))]
        if not has_begun:
            threads.insert(0, threading.Thread(target=report))
        for thread in threads:
            thread.start()
            thread.join()
        return {"drawn": drawn}

    app, recording = record_wsgi(recordings, view)
    has_begun = False
    assert_identical(recording, app)
