"""Item tasks: the work of a task on an item of a queue is in a lane of who put the item there.

As `item_lanes` has it for threads. A task has a context of its own, so that the lane is the
current one there until the task asks the same queue for the next item. Where it has the queue
asked by a task of the moment (`asyncio.wait_for`), the context is that of who waits for it.

A task that a request has left behind works for others too, while that request's recording is still
open. Where nothing was asked for an item, it may have been that request's own: its code goes on by
what came. So its recording has the item as well, by its value.
"""

from __future__ import annotations

import asyncio
import functools
import gc
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe
from retrace_core.concurrency.handed_over import NotData, pack_handed_over, record_handed_over
from retrace_core.lanes import Lane
from retrace_core.native import LANE, OFF, RECORD, REPLAY, now_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

    from retrace_core import native
    from retrace_core.concurrency.item_lanes import Parcel

__all__ = ["asking_for", "put_down_in_task", "take_up_in_task"]

_ASKS_FOR: ContextVar[native.Lane | None] = ContextVar("retrace.asks_for", default=None)
"""In whose lane a queue is asked, where that lane is masked."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What a task has got from a queue and works on."""

    queue: object
    before: native.Lane | None
    keep: Callable[[], None] | None
    """Records the item where it was got."""


_works: dict[Lane, _Work] = {}


@contextmanager
def asking_for(lane: native.Lane) -> Iterator[None]:
    """Let infrastructure ask a queue within a lane, which is masked inside."""
    token = _ASKS_FOR.set(lane)
    try:
        yield
    finally:
        _ASKS_FOR.reset(token)


def take_up_in_task(
    queue: object, parcel: Parcel, frame: FrameType, asks: CodeType, key: str
) -> bool:
    """Work on an item in its lane from here on, where this task is nobody else's.

    Args:
        queue: where it was got from.
        parcel: what `take_out` returned.
        frame: of the code that got it.
        asks: code of the coroutine that asks a queue, and may be a task of its own.
        key: of what is got there.

    Returns:
        True when the item's lane is the current one now.
    """
    parent, task = parcel.parent, asyncio.current_task()
    if parent is None or task is None or parent.mode not in (RECORD, REPLAY):
        return False
    with failsafe.gate("take up an item in a task"):
        if getattr(task.get_coro(), "cr_code", None) is asks:
            waiter, context = _who_waits(task)
            if waiter is None or context is None or _is_a_request(_frames_of(waiter)):
                return False
            task, own = waiter, context.get(LANE)
            keep = None  # it was got in the lane of another task, which ends at once
        else:
            if _is_a_request(_frames_above(frame)):
                return False
            context, own = None, _ASKS_FOR.get() or LANE.get()
            keep = _keeping(own, parcel.item, key)
        if _is_busy(own):
            return False
        lane = parcel.lane
        if parent.mode == RECORD:
            lane = parent.scope.spawn(parent, parcel.lane_id)
        if lane is None or lane.mode == OFF:
            return False
        _works[lane] = _Work(queue, own, keep)
        if isinstance(own, Lane) and keep is not None:
            own.before_end = functools.partial(_end, lane)
        if context is None:
            LANE.set(lane)
        else:
            context.run(LANE.set, lane)
        task.add_done_callback(lambda _: _end(lane))
        return True
    return False


def put_down_in_task(queue: object) -> None:
    """End the work on an item of this queue, if any: the task asks for the next one."""
    lane = LANE.get()
    work = _works.get(lane) if isinstance(lane, Lane) else None
    if work is None or work.queue is not queue:
        return
    with failsafe.gate("put down an item in a task"):
        LANE.set(work.before)
        _end(lane)


def _end(lane: Any) -> None:
    work = _works.pop(lane, None)
    if work is None:
        return
    if isinstance(work.before, Lane):
        work.before.before_end = None
    with failsafe.gate("end the work on an item"):
        if work.keep is not None and not lane.events:
            work.keep()
    lane.end()


def _keeping(own: native.Lane | None, item: object, key: str) -> Callable[[], None] | None:
    """Return what records an item, as it is now, in the lane of the task that has got it."""
    if not isinstance(own, Lane) or own.mode != RECORD or hasattr(own.scope, "label"):
        return None
    try:
        packed = pack_handed_over(item)
    except NotData:
        return None
    return functools.partial(record_handed_over, own, key, packed, now_ns())


def _who_waits(asking: asyncio.Task[Any]) -> tuple[asyncio.Task[Any] | None, Context | None]:
    """Return which task waits for one that does nothing but ask a queue, and its context."""
    callbacks: Any = getattr(asking, "_callbacks", None) or ()
    for callback, _ in callbacks:
        told = [*getattr(callback, "args", ()), *_closed_over(callback)]
        for task in asyncio.all_tasks():
            future = getattr(task, "_fut_waiter", None)
            if future is not None and any(future is one for one in told):
                return task, _context_of(task)
    return None, None


def _context_of(task: Any) -> Context | None:
    """Return the context in which a task runs, which tells of it since CPython 3.12."""
    if hasattr(task, "get_context"):
        return task.get_context()  # type: ignore[no-any-return]
    held = (one for one in gc.get_referents(task) if isinstance(one, Context))
    return next(held, None)


def _closed_over(callback: Any) -> list[object]:
    cells: Any = getattr(callback, "__closure__", None) or ()
    return [cell.cell_contents for cell in cells]


def _is_busy(own: native.Lane | None) -> bool:
    """Return True where the task does a request's work.

    What was begun at the boot is nobody's, nor is what goes on after a request is over.
    """
    if not isinstance(own, Lane) or own.mode == OFF:
        return False
    owner: Any = own.scope
    return own in _works or not (hasattr(owner, "label") or getattr(owner, "closed", False))


def _is_a_request(modules: Iterator[str]) -> bool:
    """Return True where our middleware has called: it is a request that is not recorded."""
    return any(module.startswith("retrace_mw.") for module in modules)


def _frames_above(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        yield frame.f_globals.get("__name__", "")
        frame = frame.f_back


def _frames_of(task: asyncio.Task[Any]) -> Iterator[str]:
    """Yield the modules of the coroutines of a task that waits, from the outermost one."""
    coroutine: Any = task.get_coro()
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        yield frame.f_globals.get("__name__", "")
        coroutine = coroutine.cr_await
