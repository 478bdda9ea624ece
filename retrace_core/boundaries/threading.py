"""Threads that a request starts run in lanes of their own; a thread's identifier is as recorded.

Hook: `Thread.start` and `Timer.start` (inherited), class-level, so that subclasses and
references taken earlier are covered; and `Thread.ident`, of which names of temporary files are
made. Waits that need not succeed (`Thread.join`, `Event.wait`, `Semaphore.acquire`,
`Condition.wait`) come to what they came to (`timed_waits`), and take turns, as a lock does; so
does `Condition.__enter__`. `threading.get_ident` is not hooked. `threading.enumerate` and
`Thread.is_alive` are, for threads that other requests started; and `threading.active_count`, as
status pages say it: a replay has no server's threads. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.calling import called_from
from retrace_core.concurrency.carrying import carry
from retrace_core.concurrency.ordering import is_infrastructure
from retrace_core.concurrency.others_threads import hooked_enumerate, hooked_is_alive, started_by
from retrace_core.concurrency.server_threads import serves_process
from retrace_core.concurrency.timed_waits import (
    hooked_acquire,
    hooked_enter,
    hooked_join,
    hooked_wait,
    hooked_wait_condition,
)
from retrace_core.lanes import Lane
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _carrying_start(start: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(start)
    def carrying(thread: threading.Thread) -> None:
        lane = current()
        if not isinstance(lane, Lane) or serves_process(thread):
            return start(thread)
        child = lane.spawn()
        body = carry(lane, child, thread.run)

        def run() -> None:
            try:
                body()
            finally:
                del thread.run  # the instance's: ours
                child.end()

        thread.run = run  # type: ignore[method-assign]
        started_by(thread, child)
        try:
            start(thread)
        except BaseException:
            child.end()
            raise

    return carrying


def _counting(count: Callable[[], int]) -> Callable[[], int]:
    @functools.wraps(count)
    def active_count() -> int:
        lane = current()
        if lane is None or is_infrastructure(called_from().f_code):
            return count()
        return call_free(lane, "free.thread.count", None, count)

    return active_count


def _recorded_ident(ident: property) -> property:
    live: Callable[[threading.Thread], int | None] = ident.fget  # type: ignore[assignment]

    @functools.wraps(live)
    def read(thread: threading.Thread) -> int | None:
        lane = current()
        if (
            lane is None
            or thread is not threading.current_thread()
            or is_infrastructure(called_from().f_code)
        ):
            found: int | None = live(thread)
            return found
        return call_free(lane, "free.thread.ident", None, functools.partial(live, thread))

    return property(read, doc=ident.__doc__)


BOUNDARY = Boundary(
    kind="thread",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(threading.Thread, "start", _carrying_start),
        Patch(threading.Thread, "ident", _recorded_ident),
        Patch(threading.Thread, "is_alive", hooked_is_alive),
        Patch(threading.Thread, "join", hooked_join),
        Patch(threading.Event, "wait", hooked_wait),
        Patch(threading.Semaphore, "acquire", hooked_acquire),
        Patch(threading.Semaphore, "__enter__", hooked_acquire),
        Patch(threading.Condition, "__enter__", hooked_enter),
        Patch(threading.Condition, "wait", hooked_wait_condition),
        Patch(threading, "enumerate", hooked_enumerate),
        Patch(threading, "active_count", _counting),
    ),
)
