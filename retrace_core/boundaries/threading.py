"""Threads that a request starts run in lanes of their own.

Hook: `Thread.start` and `Timer.start` (inherited), class-level, so that subclasses and
references taken earlier are covered; read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING

from retrace_core.boundary import Boundary, Patch
from retrace_core.lanes import Lane, carry
from retrace_core.native import current
from retrace_core.server_threads import serves_process

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
        try:
            start(thread)
        except BaseException:
            child.end()
            raise

    return carrying


BOUNDARY = Boundary(
    kind="thread",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(threading.Thread, "start", _carrying_start),),
)
