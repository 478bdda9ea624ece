"""Extra reads: what the code reads on replay alone is made up, of the kind that it expects."""

from __future__ import annotations

import itertools
import os
import socket
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from retrace_core import replay
from tests.recorded import record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READS: dict[str, Callable[[], object]] = {
    "uuid1": lambda: uuid.uuid1().version == 1,
    "uuid4": lambda: uuid.uuid4().version == 4,
    "getppid": lambda: os.getppid() > 0,
    "getpid": lambda: os.getpid() > 0,
    "uname": lambda: bool(os.uname().sysname),
    "gethostname": lambda: bool(socket.gethostname()),
    "localtime": lambda: time.localtime().tm_year > 2000,
    "strftime": lambda: time.strftime("%Y") > "2000",
    "time_ns": lambda: isinstance(time.time_ns(), int),
    "monotonic": lambda: time.monotonic() > 0,
}


@pytest.mark.parametrize("name", READS)
def test_a_read_that_was_not_recorded_is_of_its_kind(recordings: Path, name: str) -> None:
    """As where an earlier request filled a cache: the replay fills it, and goes on."""
    cold = itertools.chain([False], itertools.repeat(True))

    def view() -> str:
        return str(READS[name]() if next(cold) else True)

    app, recording = record_wsgi(recordings, view)
    result = replay(recording, app)
    assert result.identical, result.summary()
