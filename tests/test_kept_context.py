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


_RESETTING = """
import contextvars, gc, sys
from retrace_core import _native

KEPT = contextvars.ContextVar("kept", default=None)
OTHERS = [contextvars.ContextVar(f"other {number}") for number in range(3)]
for one in OTHERS:
    one.set(1)


class Value:
    pass


class Garbage:
    def __init__(self):
        self.itself = self

    def __del__(self):
        value = KEPT.get()
        if sys.argv[2] == "sets":
            KEPT.set(None)
            KEPT.set(value)
        values.append(value)  # or its place would be read when it has gone


if sys.argv[1] == "hooked":
    _native.install_clock_hooks()
values, stale = [], 0
gc.disable()
for allocations in range(1, 40):
    for _ in range(50):
        token = KEPT.set(Value())
        gc.collect()
        Garbage()
        gc.set_threshold(allocations, 100, 100)
        gc.enable()
        KEPT.reset(token)
        gc.disable()
        stale += KEPT.get() is not None
        values.clear()
print(stale)
"""
_OFTEN = """
import contextvars, gc
from retrace_core import _native

KEPT = contextvars.ContextVar("kept", default=None)
for number in range(3):
    contextvars.ContextVar(f"other {number}").set(1)


class Garbage:
    def __init__(self):
        self.itself = self

    def __del__(self):
        value = KEPT.get()
        KEPT.set(None)
        KEPT.set(value)


_native.install_clock_hooks()
for allocations in (2, 3, 5, 7, 11):
    gc.set_threshold(allocations, 1, 1)
    for _ in range(2_000):
        Garbage()
        KEPT.reset(KEPT.set(object()))
print("whole")
"""


def _run(how: str, program: str = _PROGRAM, does: str = "") -> str:
    command = [sys.executable, "-c", program, how, does]
    return subprocess.run(command, capture_output=True, text=True, timeout=100).stdout


def test_what_a_finalizer_replaces_is_still_there() -> None:
    """Setting one collects garbage, within CPython 3.11; lanes set one often."""
    assert _run("hooked") == "whole\n"


@pytest.mark.parametrize("does", ["reads", "sets"])
def test_a_variable_that_is_reset_meanwhile_is_looked_for_again(does: str) -> None:
    """It has the finalizer's value in mind, which nobody keeps."""
    assert _run("hooked", _RESETTING, does) == "0\n"


@pytest.mark.parametrize("does", ["reads", "sets"])
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="nothing is collected there")
def test_without_the_hooks_it_is_not(does: str) -> None:
    """A process reads what is in the place of a value that has gone, or dies."""
    assert _run("bare", _RESETTING, does) != "0\n"


def test_all_that_is_replaced_within_one_call_is_kept() -> None:
    """Several collections in it run several finalizers."""
    assert [_run("hooked", _OFTEN) for _ in range(5)] == ["whole\n"] * 5


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="nothing is collected there")
def test_it_is_lost_without_the_hooks() -> None:
    """So what they do about it can go as soon as this fails, and 3.11 with it."""
    assert _run("bare") == ""
