"""Ordering: which thread got a lock, or an item of a queue, before which other.

Nothing is asked of the outside world there, but what a request answers can depend on it. So
it takes turns like the calls of boundaries do, with one difference: how often a lock is taken
may depend on how warm caches are. An acquisition that was not recorded is made live on replay,
and a recorded one that is not made again is passed over; neither is a divergence.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any, TypeVar

from retrace_core.codec import pack_exception
from retrace_core.exempt import classify, recorded_site
from retrace_core.native import REPLAY, now_ns
from retrace_core.recording import RAISED, RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from retrace_core.lanes import Lane

__all__ = [
    "BACK",
    "BEGUN",
    "FOUND_DONE",
    "GOT",
    "ORDER",
    "TURN",
    "in_turn",
    "is_infrastructure",
    "note_got",
    "note_turn",
    "pass_in_turn",
    "patient",
    "turn_key",
]

T = TypeVar("T")

TURN = "thread.turn"
"""Kind of the events; their value is True, or False where nothing was got (a timeout).

Where work begins on a thread, it is the thread's number and name.
"""

BEGUN = "begin"
"""Beginning of the keys of those by which work began on a thread."""

GOT = "get "
"""Beginning of the keys of those by which a thread got an item of a queue."""

BACK = "thread.back"
"""Kind of the events of coroutines that have waited for a thread, and go on."""

FOUND_DONE = "tasks.done"
"""Kind of the events of `asyncio.wait`; their value is a list of the lanes of tasks found done."""

ORDER = (TURN, BACK, FOUND_DONE)
"""Kinds of events that put threads and tasks in order, and ask nothing."""


def in_turn(
    lane: Lane,
    what: str,
    code: CodeType | None,
    live: Callable[[], T],
    again: Callable[[float], T],
) -> T:
    """Return what `live` returns, as an event of its place in the order of threads.

    Args:
        lane: the current one.
        what: names the operation.
        code: of the function that asked.
        live: does it.
        again: does it on replay where it succeeded when recorded; waits at most the given
            seconds.

    Raises:
        BaseException: whatever `live` raises, or raised when it was recorded.
    """
    if lane.mode == REPLAY:
        return lane.scope.in_turn(lane, turn_key(what, code), live, again)
    start_ns = now_ns()
    lane.busy += 1
    try:
        result = live()
    except BaseException as error:
        lane.busy -= 1
        if _matters(lane):
            lane.record(TURN, turn_key(what, code), RAISED, pack_exception(error), start_ns)
        raise
    lane.busy -= 1
    note_turn(lane, what, code, result is not False, start_ns)
    return result


def pass_in_turn(lane: Lane, what: str, code: CodeType | None = None) -> None:
    """Do nothing, as an event of its place in the order of threads: what follows comes in it."""
    in_turn(lane, what, code, _pass, _pass)


def _pass(*_: object) -> None:
    return None


def note_turn(lane: Lane, what: str, code: CodeType | None, value: object, start_ns: int) -> None:
    """Record that an operation completed, where there are threads or tasks to put in order."""
    if _matters(lane):
        lane.record(TURN, turn_key(what, code), RETURNED, value, start_ns)


def note_got(lane: Lane, start_ns: int) -> None:
    """Record that a lane has got what is not recorded by its value, out of whatever queue.

    So that on replay it is known of each time whether it gets what is recorded, or what is there.
    """
    lane.record(TURN, turn_key("get", None), RETURNED, True, start_ns)


def _matters(lane: Lane) -> bool:
    """Return True when other threads may run; tasks of one event loop don't wait in locks."""
    return len(lane.scope.lanes) > 1 and asyncio._get_running_loop() is None


@functools.lru_cache(1024)
def turn_key(what: str, code: CodeType | None) -> str:
    """Return the key of an event: what was done, and by which function."""
    return f"{what} {recorded_site(code)}"


@functools.lru_cache(4096)
def is_infrastructure(code: CodeType) -> bool:
    """Return True when what this function waits for is nobody's event."""
    return classify(code) < 0


def patient(patience_s: float) -> Any:
    """Return the timeout for `acquire`: seconds, or -1 for no limit."""
    return -1 if patience_s == float("inf") else patience_s
