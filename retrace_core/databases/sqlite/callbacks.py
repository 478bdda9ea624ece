"""Callbacks: functions of the application's that SQLite calls while a statement runs.

SQL functions, aggregates, collations, trace callbacks, authorizers and progress handlers. Each
of their calls is an event, and what they ask of the world are events after it; a last event says
that no more come before the statement's own. On replay, where no statement runs, they are called
as they were, so that what they leave behind (a log, a counter) is there again.
"""

from __future__ import annotations

import contextlib
import functools
import types
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call
from retrace_core.native import RECORD, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CALLED_BACK", "Callbacks", "is_the_applications"]

CALLED_BACK = "sqlite3.callback"
_LIBRARIES = ("sqlalchemy.", "django.", "sqlite3.")
_CALL, _MAKE, _END = "call", "make", "finalize"


def is_the_applications(function: Any) -> bool:
    """Return False for what leaves nothing behind: C functions, and those of known libraries."""
    if isinstance(function, types.BuiltinFunctionType):
        return not isinstance(function.__self__, types.ModuleType | types.NoneType)
    if isinstance(function, types.MethodWrapperType):
        return False
    return not f"{getattr(function, '__module__', None)}.".startswith(_LIBRARIES)


class Callbacks:
    """The callbacks of one connection, which must not know it: SQLite's references are no cycle."""

    def __init__(self) -> None:
        self.functions: dict[str, Callable[..., Any]] = {}
        """Those that are registered now, by their slots."""
        self._instances: dict[int, Any] = {}
        self._lane: Any = None
        """The lane whose statement runs."""
        self._made = 0

    def wrapped(self, slot: str, function: Any) -> Any:
        """Return what to register in place of a function, in the same slot until the next one."""
        self.functions.pop(slot, None)
        if function is None or not callable(function) or not is_the_applications(function):
            return function
        self.functions[slot] = function

        def called(*args: Any) -> Any:
            return self._run(slot, _CALL, 0, function, args)

        return called

    def wrapped_class(self, slot: str, aggregate: Any) -> Any:
        """Return what to register in place of the class of an aggregate or window function."""
        self.functions.pop(slot, None)
        if aggregate is None or not callable(aggregate) or not is_the_applications(aggregate):
            return aggregate
        self.functions[slot] = aggregate

        def made() -> Any:
            self._made += 1
            number = self._made
            return _Instance(self, slot, number, self._run(slot, _MAKE, number, aggregate, ()))

        return made

    def during(self, lane: Any, live: Callable[..., Any], *args: Any) -> Any:
        """Return what `live` returns, recording what it calls back, and that it ended."""
        before, self._lane = self._lane, lane
        try:
            return live(*args)
        finally:
            self._lane = before
            lane.record(CALLED_BACK, None, RETURNED, None, now_ns())

    def play(self, lane: Any) -> None:
        """Call what was called while the statement ran that is answered next."""
        while (asked := call(lane, CALLED_BACK, None, _nothing)) is not None:
            slot, name, number, args = asked
            # SQLite turns what a callback raises into the statement's error, which is recorded.
            with contextlib.suppress(Exception):
                if name == _MAKE:
                    self._instances[number] = self.functions[slot]()
                elif name == _CALL:
                    self.functions[slot](*args)
                else:
                    instance = self._instances[number]
                    if name == _END:
                        del self._instances[number]
                    getattr(instance, name)(*args)

    def _run(
        self, slot: str, name: str, number: int, function: Callable[..., Any], args: Any
    ) -> Any:
        lane = self._lane
        if lane is None or lane.mode != RECORD:
            return function(*args)
        lane.record(CALLED_BACK, None, RETURNED, [slot, name, number, list(args)], now_ns())
        busy, lane.busy = lane.busy, 0  # what the function asks of the world is an event
        try:
            return function(*args)
        finally:
            lane.busy = busy


class _Instance:
    """Stands for an aggregate's instance, whose methods SQLite calls."""

    def __init__(self, callbacks: Callbacks, slot: str, number: int, made: Any) -> None:
        self._made = made
        self._run = functools.partial(callbacks._run, slot)
        self._number = number

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._made, name)

        def called(*args: Any) -> Any:
            return self._run(name, self._number, method, args)

        return called


def _nothing() -> Any:
    return None
