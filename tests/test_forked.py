"""A child process of which Python was not told begins anew, as one that `os.fork` has made."""

from __future__ import annotations

import subprocess
import sys

import pytest

FORKS = {
    "os": "os.fork()",
    "past Python": "ctypes.PyDLL(None).fork()",  # as uWSGI does
}

PROGRAM = """
import ctypes, os
from retrace_core.forked import notice_fork
from retrace_core.ids import new_span_id
child = {fork}
notice_fork()
print(new_span_id(), flush=True)
if child:
    os.waitpid(child, 0)
"""


@pytest.mark.parametrize("way", FORKS)
def test_two_processes_give_their_recordings_different_ids(way: str) -> None:
    """In a program of its own: with threads, a child past Python may wait for one it lacks."""
    program = PROGRAM.format(fork=FORKS[way])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    first, second = done.stdout.split()
    assert first != second
