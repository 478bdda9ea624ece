"""A child process of which Python was not told begins anew, as one that `os.fork` has made."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import TYPE_CHECKING

import pytest

from retrace_core.forked import notice_fork
from retrace_core.ids import new_span_id

if TYPE_CHECKING:
    from collections.abc import Callable

FORKS: dict[str, Callable[[], int]] = {
    "os": os.fork,
    "past Python": ctypes.PyDLL(None).fork,  # as uWSGI does
}


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("way", FORKS)
def test_two_processes_give_their_recordings_different_ids(way: str) -> None:
    reads, writes = os.pipe()
    child = FORKS[way]()
    if not child:
        notice_fork()
        os.write(writes, new_span_id().encode())
        os.kill(os.getpid(), signal.SIGKILL)  # nothing of pytest's runs in it
    os.waitpid(child, 0)
    assert os.read(reads, 16).decode() != new_span_id()
    os.close(reads)
    os.close(writes)
