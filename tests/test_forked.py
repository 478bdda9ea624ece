"""A child process of which Python was not told begins anew, as one that `os.fork` has made."""

from __future__ import annotations

import subprocess
import sys

import pytest

FORK = """
import os
from retrace_core.ids import new_span_id
if child := os.fork():
    os.waitpid(child, 0)  # what both say at once would stand on one line
print(new_span_id(), flush=True)
"""
NUMBERED = """
from retrace_core import forked, ids
state = ids._random.getstate()
print(ids.new_span_id())
ids._random.setstate(state)
forked._pid = {pid}
forked.notice_fork()
print(ids.new_span_id())
"""
"""Memory and all is the parent's, and only its number is another: so uWSGI's workers begin."""


def said(program: str) -> list[str]:
    """Return the lines that a program of its own says."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("program", [FORK, NUMBERED.format(pid=-1)])
def test_two_processes_give_their_recordings_different_ids(program: str) -> None:
    """Python is told of `os.fork` alone, and tells us."""
    first, second = said(program)
    assert first != second


def test_a_process_that_goes_on_keeps_its_state() -> None:
    first, second = said(NUMBERED.format(pid="forked._getpid()"))
    assert first == second
