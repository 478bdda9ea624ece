"""Exceptions that are handled and logged as errors are part of the recording.

Flask and Django answer 500 to an exception of a view and log it; it never leaves the
application, yet it is what an engineer looks for. No event: what is logged is not asked.

Of a record of level ERROR or above the exception is, in this order, the one of `exc_info`,
one among the arguments (`error("no stock: %s", error)`), or the one whose `except` block is
running. A message without any of them tells of no exception, and is none; nor does what a tracer
says of its own faults: what it looks at, and when, differs between recording and replay.

Hook: `Logger.handle`, where every enabled record passes. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import logging
import sys
from typing import TYPE_CHECKING

from retrace_core.boundary import Boundary, Patch
from retrace_core.lanes import Lane
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_TRACERS = ("sentry_sdk", "opentelemetry", "ddtrace", "newrelic", "elasticapm")
"""How the names of their loggers begin."""


def _noticing_handle(
    handle: Callable[[logging.Logger, logging.LogRecord], None],
) -> Callable[[logging.Logger, logging.LogRecord], None]:
    @functools.wraps(handle)
    def noticing(self: logging.Logger, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR and not record.name.startswith(_TRACERS):
            lane = current()
            if isinstance(lane, Lane):
                error = _logged_exception(record)
                if error is not None:
                    lane.scope.handled(error)
        return handle(self, record)

    return noticing


def _logged_exception(record: logging.LogRecord) -> BaseException | None:
    given = record.exc_info
    if isinstance(given, tuple) and given[1] is not None:
        return given[1]
    args = record.args
    for arg in args.values() if isinstance(args, dict) else args if type(args) is tuple else ():
        if isinstance(arg, BaseException):
            return arg
    return sys.exception()


BOUNDARY = Boundary(
    kind="logging",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(logging.Logger, "handle", _noticing_handle),),
)
