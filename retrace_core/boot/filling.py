"""Filling: wraps the function that a cache calls at a miss, so that it is on the boot tape."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from retrace_core import failsafe
from retrace_core.boot import tape as boot_tape
from retrace_core.exempt import site_name
from retrace_core.native import LANE, OFF

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["filling"]

T = TypeVar("T")
_TRIALS = 64
"""After so many fills without an event a function is taken to be pure."""
_PLAIN = (str, bytes, int, float, bool, type(None))


def filling(function: Callable[..., T]) -> Callable[..., T]:
    """Return `function` such that what it asks of the world is on the boot tape.

    Args:
        function: called by a cache at a miss, sync.
    """
    label = _label(function)
    trials = _TRIALS

    @functools.wraps(function)
    def filled(*args: Any, **kwargs: Any) -> T:
        nonlocal trials
        if not trials or not boot_tape.is_active() or _boots():
            return function(*args, **kwargs)
        given: list[object] | None = None
        with failsafe.gate("name a fill of a cache"):  # the arguments are the application's
            given = [_plain(one) for one in (*args, *kwargs.items())]
        if given is None:
            return function(*args, **kwargs)
        block = boot_tape.on_boot_tape(label, given)
        with block:
            result = function(*args, **kwargs)
        if block.events or boot_tape.is_played():
            trials = _TRIALS
        else:
            trials -= 1
        return result

    return filled


def _boots() -> bool:
    # While the boot goes on it is the boot that asks: one chapter for all of it.
    lane: Any = LANE.get()
    if lane is None or lane.mode == OFF:
        return False
    return getattr(lane.scope, "label", "") == boot_tape.BOOT


def _label(function: Any) -> str:
    code = getattr(function, "__code__", None)
    if code is not None:
        return site_name(code)
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', '?')}"


def _plain(value: Any) -> object:
    """Return an argument such that it is the same in another process: objects by their type."""
    if type(value) in _PLAIN:
        return value
    # Not by the class's own iteration, which is the application's code and may refuse; nor by
    # `isinstance`, which asks the object, and a lazy one is made by that.
    if issubclass(type(value), tuple):
        return [_plain(one) for one in tuple.__iter__(value)]
    if issubclass(type(value), list):
        return [_plain(one) for one in list.__iter__(value)]
    return f"{type(value).__module__}.{type(value).__qualname__}"
