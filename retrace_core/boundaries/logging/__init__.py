"""`logging`: when a record was made, and exceptions that are handled and logged as errors.

Records that are kept in memory or in a file are shown by log viewers; what they have of the clock
and the process is what it was. A record more or less, as another level is set, is no divergence.

Flask and Django answer 500 to an exception of a view and log it; it never leaves the
application, yet it is what an engineer looks for. That is no event: what is logged is not asked.

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
from typing import TYPE_CHECKING, Any, Final

from retrace_core.boot.tape import is_of_boot
from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.lanes import Lane
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

_TRACERS = ("retrace", "sentry_sdk", "opentelemetry", "ddtrace", "newrelic", "elasticapm")
"""How the names of their loggers begin."""

_WHEN: Final = "free.logging.record"
_OF_THE_MOMENT = ("created", "msecs", "relativeCreated", "process", "thread")


def _noticing_handle(
    handle: Callable[[logging.Logger, logging.LogRecord], None],
) -> Callable[[logging.Logger, logging.LogRecord], None]:
    @functools.wraps(handle)
    def noticing(self: logging.Logger, record: logging.LogRecord) -> None:
        lane = current()
        if isinstance(lane, Lane) and not record.name.startswith(_TRACERS):
            if record.levelno >= logging.ERROR:
                error = _logged_exception(record)
                if error is not None:
                    lane.scope.handled(error)
            if not is_of_boot(lane):
                _keep_moment(lane, record)
        return handle(self, record)

    return noticing


def _keep_moment(lane: Lane, record: logging.LogRecord) -> None:
    """Record when and where a record was made; on replay it is given the recorded moment."""
    own = vars(record)

    def live() -> list[Any]:
        return [own.get(name) for name in _OF_THE_MOMENT]

    moment = call_free(lane, _WHEN, [record.name, record.levelno], live)
    if lane.mode == REPLAY:
        own.update(zip(_OF_THE_MOMENT, moment, strict=True))


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
