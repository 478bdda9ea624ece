"""A thread that a tracer starts once in its process, and its calls, are of no request."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core import LiveCallRefused
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("tracer", ["newrelic.core.application", "sentry_sdk.worker"])
def test_a_tracer_begins_to_report(recordings: Path, tracer: str) -> None:
    """When recorded it had begun before; a replay is the first request of its process."""
    has_begun = True

    def report() -> None:
        random.random()
        with contextlib.suppress(OSError, LiveCallRefused):
            socket.create_connection(("127.0.0.1", 1)).close()

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
