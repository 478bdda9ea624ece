"""`asyncio.sleep`: an event, so that replay does not wait and wakes up in recorded order.

Hook: the code object of `asyncio.sleep`, and not a module attribute, because the function is
imported by name everywhere. A sleep that infrastructure asks for (event loops, servers,
anyio) stays live. And `run_coroutine_threadsafe`: what a loop of another thread does for a request,
as those of zarr and fsspec do, is in a lane of the request. What `as_completed` goes through is in
one order; what `wait` returns is, and it is the same tasks. And `wait_for`, by which tasks of the
start-up pause. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from asyncio import tasks
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call_async
from retrace_core.code_hook import CodeHook
from retrace_core.concurrency.found_done import hooked_wait
from retrace_core.concurrency.timed_tasks import hooked_wait_for
from retrace_core.exempt import classify
from retrace_core.lanes import Lane, mask
from retrace_core.native import LANE, current
from retrace_core.recording import ASYNC_SLEEP

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import FrameType


def _hooked_code(live: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    async def recorded(lane: Any, delay: float, result: Any) -> Any:
        await call_async(lane, ASYNC_SLEEP, delay, functools.partial(live, delay))
        return result

    def sleep_in_scope(delay: float, result: Any = None) -> Awaitable[Any]:
        lane = current()
        if lane is None:
            return live(delay, result)
        if classify(sys._getframe(2).f_code) < 0 and not _is_task_of(sys._getframe(1)):
            return live(delay, result)
        return recorded(lane, delay, result)

    return sleep_in_scope


def _is_task_of(frame: FrameType) -> bool:
    """Return True where a sleep is all that the current task does, as by `create_task(sleep(1))`.

    Then it is the event loop that asks for it, but whoever made the task has it sleep.

    Args:
        frame: of the sleep.
    """
    task = asyncio.current_task()
    coro: Any = task.get_coro() if task is not None else None
    return getattr(coro, "cr_frame", None) is frame


# Its code is what `asyncio.sleep` runs while hooked; the name is a global of asyncio.tasks.
async def sleep(delay: float, result: Any = None) -> Any:
    """Coroutine that completes after a given time (in seconds)."""
    return await _retrace_sleep(delay, result)  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore


def _handing(submit: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `run_coroutine_threadsafe` whose coroutine runs in a lane of its own.

    By the time that the other thread's loop takes it up, the caller's lane is busy with the wait
    for it. What the request's thread and that loop have between them is nobody's.
    """

    @functools.wraps(submit)
    def handing(coro: Any, loop: Any) -> Any:
        lane = current()
        if not isinstance(lane, Lane) or not asyncio.iscoroutine(coro):
            return submit(coro, loop)
        child = lane.spawn()

        async def carried() -> Any:
            LANE.set(child)
            return await coro

        try:
            with mask():
                future = submit(carried(), loop)
        except BaseException:
            child.end()
            raise
        future.retrace_lane = child.id  # by which replay knows it again
        future.add_done_callback(child.end)
        return future

    return handing


def _ordered(as_completed: Callable[..., Any]) -> Callable[..., Any]:
    """Return an `as_completed` that makes tasks of coroutines in the order given.

    The original goes through a set, so in order of addresses: lanes would be numbered anew
    in each run.
    """

    @functools.wraps(as_completed)
    def ordered(fs: Any, **options: Any) -> Any:
        if current() is not None and not asyncio.isfuture(fs) and not asyncio.iscoroutine(fs):
            fs = [asyncio.ensure_future(one) for one in dict.fromkeys(fs)]
        return as_completed(fs, **options)

    return ordered


_CODE = CodeHook(tasks, sleep, _hooked_code)

BOUNDARY = Boundary(
    kind=ASYNC_SLEEP,
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(tasks, "as_completed", _ordered),
        Patch(asyncio, "as_completed", _ordered),
        Patch(tasks, "wait", hooked_wait),
        Patch(asyncio, "wait", hooked_wait),
        Patch(tasks, "wait_for", hooked_wait_for),
        Patch(asyncio, "wait_for", hooked_wait_for),
        Patch(tasks, "run_coroutine_threadsafe", _handing),
        Patch(asyncio, "run_coroutine_threadsafe", _handing),
    ),
    install=_CODE.install,
    remove=_CODE.remove,
)
