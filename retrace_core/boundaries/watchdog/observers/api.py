"""watchdog: folders that an application has watched, so as to read anew what changed there.

What watches is of the process, whichever request began it. On replay nothing changes, and what
would be watched may not be there: nothing is.

Hooks: `start` of an emitter, which goes through the folder and asks the system to tell of it,
and of an observer, whose thread hands on what was told. Read in watchdog 2.1 to 7.1.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from watchdog.observers.api import BaseObserver, EventEmitter

from retrace_core.boundary import Boundary, Patch, in_replay, mask

if TYPE_CHECKING:
    from collections.abc import Callable


def _emitting(start: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(start)
    def started(self: Any) -> None:
        if in_replay():
            return
        with mask():
            start(self)

    return started


def _observing(start: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(start)
    def started(self: Any) -> None:
        with mask():
            start(self)

    return started


BOUNDARY = Boundary(
    kind="file",
    supports="watchdog>=2.1",
    hooks=(
        Patch(EventEmitter, "start", _emitting),
        Patch(BaseObserver, "start", _observing),
    ),
)
