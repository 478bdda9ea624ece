"""Context variables survive a finalizer that sets one while another is being set."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import contextvars, gc, sys
from retrace_core import _native

SET = contextvars.ContextVar("set")
FINALIZED = contextvars.ContextVar("finalized")
OTHERS = 3
for number in range(OTHERS):
    contextvars.ContextVar(f"other {number}").set(1)


junk = []


class Garbage:
    def __init__(self):
        self.itself = self

    def __del__(self):
        token = FINALIZED.set(1)
        FINALIZED.reset(token)
        del junk[:]
        junk.extend(bytes([n]) * 31 for n in range(200))  # as large as the mapping was


def check():
    context = contextvars.copy_context()
    assert len(context) == len(list(context)) == OTHERS, (len(context), list(context))


if sys.argv[1] == "hooked":
    _native.install_clock_hooks()
for allocations in (2, 3, 5, 7, 11):
    gc.set_threshold(allocations, 1, 1)
    for n in range(2_000):
        Garbage()
        SET.reset(SET.set(n))
        check()
print("whole")
"""


def _run(how: str) -> str:
    command = [sys.executable, "-c", _PROGRAM, how]
    return subprocess.run(command, capture_output=True, text=True, timeout=100).stdout


def test_what_a_finalizer_replaces_is_still_there() -> None:
    """Setting one collects garbage, within CPython 3.11; lanes set one often."""
    assert _run("hooked") == "whole\n"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="nothing is collected there")
def test_it_is_lost_without_the_hooks() -> None:
    """So what they do about it can go as soon as this fails, and 3.11 with it."""
    assert _run("bare") == ""
