"""Opaque text: objects of the application's are told apart, and none of their code runs."""

from __future__ import annotations

import functools
import re
from collections import deque
from dataclasses import dataclass
from typing import Any

import pytest

from retrace_core import _fallback, native
from retrace_core.codec import decode
from retrace_core.opaque_text import opaque_text


class Member:
    """As Django's models do, it asks a database for its name."""

    asked = 0

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        Member.asked += 1
        return "Ann of Acme"

    __str__ = __repr__

    def visit(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("encode", [native.encode, _fallback.encode])
@pytest.mark.parametrize(
    "hold",
    [
        lambda one: one,
        lambda one: [one],
        lambda one: deque([one]),
        lambda one: one.visit,
        lambda one: functools.partial(print, one),
        lambda one: ValueError(one),
    ],
    ids=["itself", "in a list", "in a deque", "a method", "in a partial", "in an exception"],
)
def test_no_code_of_an_object_runs_when_it_is_recorded(encode: Any, hold: Any) -> None:
    Member.asked = 0
    decode(encode(hold(Member(7))))
    assert Member.asked == 0


def test_objects_are_told_apart_by_what_is_plain_in_them() -> None:
    """So a cache that is filled for one is not taken for that of another."""
    assert opaque_text(Member(7)) == opaque_text(Member(7)) != opaque_text(Member(8))


def test_objects_with_slots_too() -> None:
    @dataclass(slots=True, frozen=True)
    class Point:
        x: int

    assert opaque_text(Point(1)) == opaque_text(Point(1)) != opaque_text(Point(2))


def test_what_the_interpreter_says_itself_is_said() -> None:
    assert opaque_text(re.compile("a+")) == "re.compile('a+')"
