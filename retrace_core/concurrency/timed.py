"""Timed: waits of threads that need not succeed, and what came of each.

Whether something happens before a time is over depends on the clock, and on other work of the
process. A replay has no such work, and sleeps no time away; so that an attempt came to nothing,
or not, is an event in the order of threads. One that came to nothing does so at once; one that
did not waits for what it waited for.

A thread of the start-up that waits again and again in vain is pausing: as often as it had when the
request came it pauses on replay, as by `time.sleep`.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from retrace_core.concurrency.ordering import TURN, patient, turn_key
from retrace_core.native import REPLAY, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from retrace_core.lanes import Lane

__all__ = ["Attempt", "attempted", "tried"]

_LONGEST_S = 1e6
_BOOT = "boot"
"""The label of the start-up's chapter, of which lanes must not know more."""


class Attempt:
    """Something that is tried.

    Args:
        what: names it.
        seconds: how long it is tried, 0 where it is not waited for.
        live: tries it so long; returns whether it came to anything.
        again: tries it for some seconds, on replay, where it had come to something.
    """

    __slots__ = ("again", "live", "seconds", "what")

    def __init__(
        self,
        what: str,
        seconds: float,
        live: Callable[[], bool],
        again: Callable[[float], bool],
    ) -> None:
        self.what, self.seconds, self.live, self.again = what, seconds, live, again


def attempted(lane: Lane, code: CodeType | None, one: Attempt) -> bool:
    """Try something; or, on replay, have it come to what it came to.

    Args:
        lane: the current one.
        code: of the function that tries.
        one: what.

    Returns:
        Whether it came to anything.
    """
    scope: Any = lane.scope
    if getattr(scope, "label", "") == _BOOT:
        return one.live() if lane is scope.root else _paused(lane, one)
    if asyncio._get_running_loop() is not None:
        return one.live()  # tasks of one loop don't wait for each other so
    key = turn_key(one.what, code)
    if lane.mode == REPLAY:
        again = functools.partial(_patient, one)
        return bool(scope.in_turn(lane, key, one.live, again))
    start_ns = now_ns()
    lane.busy += 1
    try:
        success = one.live()
    finally:
        lane.busy -= 1
    lane.record(TURN, key, RETURNED, success, start_ns)
    return success


def tried(
    lane: Lane, lock: Any, code: CodeType | None, live: Callable[[], bool], seconds: float
) -> bool:
    """Try to acquire a lock, as `attempted` says.

    Args:
        lane, code: as there.
        lock: which.
        live: acquires it.
        seconds: for how long it is tried, 0 where it is not waited for.
    """

    def again(patience_s: float) -> bool:
        return bool(lock.acquire(timeout=patient(patience_s)))

    return attempted(lane, code, Attempt("try", seconds, live, again))


def _patient(one: Attempt, patience_s: float) -> bool:
    return one.again(min(patience_s, _LONGEST_S))


def _paused(lane: Lane, one: Attempt) -> bool:
    if not one.seconds:
        return one.live()
    if lane.mode == REPLAY:
        done: list[bool] = []

        def is_over() -> bool:
            if not done and one.again(0):
                done.append(True)
            return bool(done)

        scope: Any = lane.scope
        if scope.pause(lane, one.seconds, is_over):
            return bool(done)
        return bool(done) or one.live()
    start_ns = now_ns()
    success = one.live()
    if not success:
        lane.slept(one.seconds, None, start_ns)
    return success
