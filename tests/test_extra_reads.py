"""Extra reads: what the code reads on replay alone is made up, of the kind that it expects."""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from wsgiref.handlers import format_date_time

import msgspec
import pytest

from retrace_core import replay
from retrace_core.boundary import mask
from retrace_core.recording import SoftEvent
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


def test_the_text_of_a_date_is_a_read_of_the_clock(recordings: Path) -> None:
    """It is made by a module that is a web server's, too, whose own reads are nobody's."""
    _, recording = record_wsgi(recordings, lambda: format_date_time(None))  # type: ignore[arg-type]
    reads = [
        event.site
        for event in recording.lanes[0].events
        if isinstance(event, SoftEvent) and event.kind == "time.gmtime"
    ]
    assert reads == ["wsgiref/handlers.py:format_date_time"]


def test_a_thread_is_called_as_it_was(recordings: Path) -> None:
    """Names of temporary files are made of its identifier."""

    def view() -> str:
        return str(threading.current_thread().ident)

    with ThreadPoolExecutor(1) as pool:
        app, recording = pool.submit(record_wsgi, recordings, view).result()
    result = replay(recording, app)
    assert result.identical, result.summary()
    assert threading.current_thread().ident == threading.get_ident()


def test_what_is_of_no_request_passes_for_the_recorded_process(recordings: Path) -> None:
    """A pool's checkout compares the process that connected with its own, to notice a fork."""

    def view() -> str:
        with mask():
            return f"process {os.getpid()}"

    app, recording = record_wsgi(recordings, view)
    environment = msgspec.structs.replace(recording.header.environment, pid=4194999)
    header = msgspec.structs.replace(recording.header, environment=environment)
    result = replay(msgspec.structs.replace(recording, header=header), app)
    assert result.response is not None
    assert b"".join(result.response.body) == b"process 4194999"
    assert os.getpid() != 4194999
