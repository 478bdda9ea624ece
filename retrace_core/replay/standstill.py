"""Standstill: where a replay stands that does not come to its end, in words.

An application that was told something else than it expects may wait for good: for a task that
has failed, or for an answer that nobody gives. A time limit alone would not say for what.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrace_core.coverage.asking_line import is_library, is_ours, library_of, within_packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from retrace_core.recording import Header
    from retrace_core.replay.boot import BootPlayer
    from retrace_core.replay.sandbox import Refusal

__all__ = ["at_request", "in_loop", "watched", "where"]

_MOST = 3
"""So many calls, threads and tasks are told, of each the first."""
_CALLERS = tuple(
    os.path.join("retrace_core", "replay", name)
    for name in ("application.py", "driver.py", "program.py", "serving_threads.py")
)
"""What is above these on a stack is no code of the application's."""
_FRAMES = ("cr_frame", "gi_frame", "ag_frame")
_AWAITED = ("cr_await", "gi_yieldfrom", "ag_await")


@dataclass
class _Replay:
    boot: BootPlayer | None
    refusals: Sequence[Refusal]
    request: Header | None = None
    loop: asyncio.AbstractEventLoop | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a thread or a task is."""

    who: str
    line: str
    own: bool
    """True for the application's own code, False for a library's."""


_running: list[_Replay] = []


@contextmanager
def watched(boot: BootPlayer | None, refusals: Sequence[Refusal]) -> Iterator[None]:
    """Have `where` tell of the replay that runs in the block.

    Args:
        boot: who answers its start-up.
        refusals: which live calls were refused so far.
    """
    _running.append(_Replay(boot, refusals))
    try:
        yield
    finally:
        _running.pop()


def in_loop() -> None:
    """Take note that the application runs in the event loop of the caller."""
    if _running:
        _running[-1].loop = asyncio.get_running_loop()


def at_request(header: Header) -> None:
    """Take note that the start-up is over, and that this request runs."""
    if _running:
        _running[-1].request = header


def where() -> list[str]:
    """Return where the replay of this process stands, a line for each thing to say."""
    if not _running:
        return []
    replay = _running[-1]
    boot, request = replay.boot, replay.request
    lines = ["it was in the application's start-up, before the request"]
    if request is not None:
        lines = [f"it was in {request.method} {request.path}"]
    lacking = boot.lacking if boot is not None else []
    lines += [f"not on the boot tape: {one}" for one in lacking[:_MOST]]
    lines += [f"refused: {one.what}" for one in replay.refusals[:_MOST]]
    places = [*_tasks(replay.loop), *_threads()]
    own = [one for one in places if one.own]
    return lines + [f"{one.who} is at {one.line}" for one in (own or places)[:_MOST]]


def _threads() -> Iterator[_Place]:
    frames = sys._current_frames()
    for thread in threading.enumerate():
        frame, stack = frames.get(thread.ident or 0), list[Any]()
        while frame is not None and not frame.f_code.co_filename.endswith(_CALLERS):
            stack.append(frame)
            frame = frame.f_back
        yield from _place(f"thread {thread.name}", stack)


def _tasks(loop: asyncio.AbstractEventLoop | None) -> Iterator[_Place]:
    try:
        tasks = [] if loop is None else sorted(asyncio.all_tasks(loop), key=asyncio.Task.get_name)
    except RuntimeError:  # they come and go
        return
    for task in tasks:
        yield from _place(f"task {task.get_name()}", _awaiting(task.get_coro()))


def _awaiting(coroutine: Any) -> list[FrameType]:
    """Return the frames of a coroutine that waits, innermost first."""
    frames: list[FrameType] = []
    while coroutine is not None:
        frames += filter(None, [getattr(coroutine, name, None) for name in _FRAMES])
        coroutine = next(filter(None, (getattr(coroutine, name, None) for name in _AWAITED)), None)
        if type(coroutine).__name__ == "async_generator_asend":  # that keeps it to itself
            coroutine = next(filter(inspect.isasyncgen, gc.get_referents(coroutine)), None)
    return frames[::-1]


def _place(who: str, stack: Sequence[FrameType]) -> Iterator[_Place]:
    """Yield the innermost line of the application, or else of an installed library."""
    theirs = [frame for frame in stack if not is_ours(frame.f_code.co_filename)]
    own = [frame for frame in theirs if not is_library(frame.f_code.co_filename)]
    for frame in (own or [one for one in theirs if library_of(one.f_code.co_filename)])[:1]:
        code = frame.f_code
        line = f"{_short(code.co_filename)}:{frame.f_lineno} in {code.co_qualname}"
        yield _Place(who, line, bool(own))


def _short(file: str) -> str:
    """Return a file by its name in its package, or in the current folder."""
    if name := within_packages(file):
        return name
    shorter = os.path.relpath(file)
    return file if shorter.startswith(os.pardir) else shorter
