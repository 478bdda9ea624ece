"""Exceptions that a framework handles and logs as errors are part of the recording.

Flask and Django answer 500 to an exception of a view and log it; it never leaves the
application, yet it is what an engineer looks for. No event: what is logged is not asked.

Hook: `Logger.handle`, where every enabled record passes. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

from retrace_core.boundary import Boundary, Patch
from retrace_core.lanes import Lane
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _noticing_handle(
    handle: Callable[[logging.Logger, logging.LogRecord], None],
) -> Callable[[logging.Logger, logging.LogRecord], None]:
    @functools.wraps(handle)
    def noticing(self: logging.Logger, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR and record.exc_info:
            lane = current()
            error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
            if isinstance(lane, Lane) and error is not None:
                lane.scope.handled(error)
        return handle(self, record)

    return noticing


BOUNDARY = Boundary(
    kind="logging",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(logging.Logger, "handle", _noticing_handle),),
)
