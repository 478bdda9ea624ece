"""Signals that a request sends: on replay nobody gets one, since a stranger may have the number."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from retrace_core import replay
from retrace_core.errors import LiveCallRefused
from retrace_core.replay.sandbox import closed_world
from tests.recorded import record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.mark.parametrize("name", ["kill", "killpg"])
def test_a_signal_is_not_sent_again(recordings: Path, name: str) -> None:
    """The process it went to is gone by then: sent again, it would fail."""
    with subprocess.Popen(SLEEPER, start_new_session=True) as sleeper:

        def view() -> str:
            getattr(os, name)(sleeper.pid, signal.SIGTERM)
            return "sent"

        app, recording = record_wsgi(recordings, view)
    assert sleeper.returncode == -signal.SIGTERM
    assert f"os.{name}" in [event.kind for event in recording.lanes[0].events]
    result = replay(recording, app)
    assert result.identical, result.summary()


def test_an_error_of_a_signal_replays(recordings: Path) -> None:
    """The process had ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass

    def view() -> str:
        try:
            os.kill(ended.pid, signal.SIGTERM)
        except ProcessLookupError:
            return "ended before"
        return "ended"

    app, recording = record_wsgi(recordings, view)
    result = replay(recording, app)
    assert result.identical, result.summary()
    assert result.response is not None
    assert b"".join(result.response.body) == b"ended before"


def test_a_closed_world_lets_no_signal_out() -> None:
    """Not of what no boundary sees, either."""
    with closed_world(), pytest.raises(LiveCallRefused, match=r"os\.kill"):
        os.kill(os.getpid(), 0)
