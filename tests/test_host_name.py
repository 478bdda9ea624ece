"""The name of the host, asked for once in a process: a later request's replay knows it, too."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import msgspec
import pytest

from retrace_core.replay.soft import soft_answers
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    "asked", [socket.gethostname, lambda: os.uname().nodename], ids=["gethostname", "uname"]
)
def test_it_is_known_where_it_was_asked_for_before(
    recordings: Path, asked: Callable[[], str]
) -> None:
    """As of Mercurial's locks: `HOST:PID`, of a host that is asked for with the first lock."""
    names = [asked()]

    def view() -> str:
        if not names:
            names.append(asked())
        return f"{names[0]}:{os.getpid()}"

    app, recording = record_wsgi(recordings, view)
    names.clear()
    assert_identical(recording, app)


def test_it_is_that_of_the_machine_that_recorded(recordings: Path) -> None:
    _, recording = record_wsgi(recordings, lambda: "yes")
    made = msgspec.structs.replace(recording.header.environment, host="till-7", pid=7)

    soft = soft_answers(msgspec.structs.replace(recording.header, environment=made))

    assert soft.answer("socket.gethostname", "app.py:view", ()) == "till-7"
    assert soft.answer("os.getpid", "app.py:view", ()) == 7
