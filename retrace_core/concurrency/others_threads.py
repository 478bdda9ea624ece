"""Others' threads: what a request sees of the threads that other requests of its process started.

A request may start a thread and end; a later one asks whether that thread still runs. When it
asks is no matter of its own, so what it saw is an event: which of those threads were there
(`threading.enumerate`), and whether one was alive (`Thread.is_alive`). On replay the earlier
request, if it was run first, has let its thread end; it is shown none the less, as it was seen.

Threads of the request itself, and of the process, are not looked at: those are in the order of
turns, and these run on replay too.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from retrace_core.boundary import call_free
from retrace_core.lanes import Lane
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

__all__ = ["hooked_enumerate", "hooked_is_alive", "started_by"]

_SEEN, _ALIVE = "free.thread.enumerate", "free.thread.is_alive"
_STARTED = "_retrace_lane"
_replayed: dict[str, threading.Thread] = {}
"""During a replay, the threads that its requests have started, by the names of their lanes."""


def started_by(thread: threading.Thread, lane: Lane) -> None:
    """Note in which lane a thread runs that a request starts."""
    name = f"{lane.scope.span_id}/{lane.id}"
    setattr(thread, _STARTED, name)
    if lane.mode == REPLAY:
        _replayed[name] = thread


def hooked_enumerate(
    enumerate_threads: Callable[[], list[threading.Thread]],
) -> Callable[[], list[threading.Thread]]:
    """Return a `threading.enumerate` that shows others' threads as they were seen."""

    @functools.wraps(enumerate_threads)
    def enumerating() -> list[threading.Thread]:
        found = enumerate_threads()
        lane = current()
        if not isinstance(lane, Lane):
            return found
        others = {name: thread for thread in found if (name := _others(thread, lane))}
        if lane.mode != REPLAY and not others:
            return found
        seen = call_free(lane, _SEEN, None, lambda: list(others))
        if lane.mode != REPLAY:
            return found
        known = {**_replayed, **others}
        return [thread for thread in found if thread not in others.values()] + [
            known[name] for name in seen if name in known
        ]

    return enumerating


def hooked_is_alive(
    is_alive: Callable[[threading.Thread], bool],
) -> Callable[[threading.Thread], bool]:
    """Return an `is_alive` that says of others' threads what it said when it was recorded."""

    @functools.wraps(is_alive)
    def alive(thread: threading.Thread) -> bool:
        lane = current()
        name = _others(thread, lane) if isinstance(lane, Lane) else ""
        if lane is None or not name:
            return is_alive(thread)
        return call_free(lane, _ALIVE, name, functools.partial(is_alive, thread))

    return alive


def _others(thread: threading.Thread, lane: Lane) -> str:
    """Return the name of the lane of a thread that another request started, else ""."""
    name: str = getattr(thread, _STARTED, "")
    return "" if name.startswith(f"{lane.scope.span_id}/") else name
