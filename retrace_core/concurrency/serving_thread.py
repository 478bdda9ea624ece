"""Serving thread: by which thread of its process a request is served, or a piece of its work."""

from __future__ import annotations

import functools
import itertools
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

from retrace_core.concurrency.ordering import BEGUN, TURN
from retrace_core.native import REPLAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["UNKNOWN", "on_its_thread", "serving_thread", "thread_of"]

T = TypeVar("T")

UNKNOWN: Final = -1
_numbers = itertools.count(1)


class _Here(threading.local):
    """Of this thread; its identity would not do, since the next thread may be given it."""

    known: tuple[int, str] | None = None


_here = _Here()


def serving_thread() -> tuple[int, str]:
    """Return the number of the current thread, 0 for the main one, and its name.

    Two requests of a process, or two pieces of work, have the same number when, and only when,
    they met the same `threading.local`.
    """
    known = _here.known
    if known is None:
        thread = threading.current_thread()
        is_main = thread is threading.main_thread()
        known = _here.known = (0 if is_main else next(_numbers), thread.name)
    return known


def thread_of(events: Iterable[Any]) -> tuple[int, str] | None:
    """Return by which thread the work of a recorded lane was done, number and name."""
    for event in events:
        if event.kind == TURN and str(event.key).startswith(BEGUN):
            match event.value:
                case (int() as number, str() as name) if not isinstance(number, bool):
                    return number, name
    return None


def on_its_thread(lane: Any, work: Callable[..., T]) -> Callable[..., T]:
    """Return work of a pool's thread such that a replay does it on a thread of its number.

    Args:
        lane: the lane of that work.
        work: what the pool's thread calls.
    """
    if lane.mode != REPLAY:
        return work

    @functools.wraps(work)
    def doing(*args: Any, **options: Any) -> T:
        done: T = lane.scope.on_its_thread(lane, functools.partial(work, *args, **options))
        return done

    return doing
