"""multiprocessing.Process: a replay starts none; when it was over, and how it ended, is recorded.

What it does is in another process, where nobody records; what the request gets from it comes by a
queue or a pipe, which have boundaries of their own. It runs with no lane where a request starts it.
One that the start-up starts may be the server itself, and goes on with the boot.

Hooks: of `BaseProcess` `start`, `join`, `is_alive`, `exitcode`, `terminate` and `kill`, which all
ways of starting share. It is imported in the midst of its package, which is not there yet: errors
are those of `connection`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

from retrace_core.boot.tape import is_of_boot
from retrace_core.boundary import Boundary, Patch, call, in_replay, mask, record_error
from retrace_core.native import REPLAY, current, now_ns
from retrace_core.programs.other_process import PlayedProcess, name_of_work
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = "_retrace_name"
"""Attribute of a process that was started: what it does."""


def _carrying_start(start: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(start)
    def starting(process: Any) -> None:
        lane = current()
        if lane is None and not in_replay():
            return start(process)
        target = getattr(process, "_target", None)
        name = name_of_work(target if target is not None else type(process))
        setattr(process, _NAME, name)
        if lane is None or lane.mode == REPLAY:
            pid = 0 if lane is None else call(lane, "multiprocessing.start", name, lambda: 0)
            process._popen = PlayedProcess(pid)
            process._sentinel = process._popen.sentinel
            return None
        start_ns = now_ns()
        try:
            if is_of_boot(lane):
                start(process)
            else:
                with mask():
                    start(process)
        except BaseException as error:
            record_error(lane, "multiprocessing.start", name, error, start_ns)
            raise
        lane.record("multiprocessing.start", name, RETURNED, process.pid, start_ns)
        return None

    return starting


def _ending(kind: str, look: Callable[..., Any]) -> Callable[..., Any]:
    """Return `join`, `is_alive` or the getter of `exitcode`: each sees how the process ended."""

    @functools.wraps(look)
    def looking(process: Any, *args: Any, **options: Any) -> Any:
        lane, popen = current(), process._popen
        if popen is None or not hasattr(process, _NAME):
            return look(process, *args, **options)
        if lane is None:
            return look(process, *args, **options)

        def live() -> Any:
            seen = look(process, *args, **options)
            return [seen, popen.returncode]

        seen, code = call(lane, kind, getattr(process, _NAME), live)
        if isinstance(popen, PlayedProcess):
            popen.returncode = code
        return seen

    return looking


def _exitcode(exitcode: property) -> property:
    return property(_ending("multiprocessing.exitcode", exitcode.fget), doc=exitcode.__doc__)  # type: ignore[arg-type]


BOUNDARY = Boundary(
    kind="multiprocessing",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(BaseProcess, "start", _carrying_start),
        Patch(BaseProcess, "join", functools.partial(_ending, "multiprocessing.join")),
        Patch(BaseProcess, "is_alive", functools.partial(_ending, "multiprocessing.is_alive")),
        Patch(BaseProcess, "exitcode", _exitcode),
    ),
)
