"""Queues between tasks: whose work an item is, and what other work of the process hands over.

Hook: `put_nowait`, `get_nowait` and `get` of `asyncio.Queue`, to which those of its subclasses and
`put` come. A task that serves many requests works on each one's items in a lane of that request
(`item_tasks`); what a request gets that none of its own lanes had put there is an event, with its
value (`handed_over`). Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import asyncio
import functools
import os
from asyncio import queues
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe
from retrace_core.boundary import Boundary, Patch, mask, record_error
from retrace_core.calling import called_from
from retrace_core.concurrency.handed_over import (
    HANDED_OVER,
    is_packed,
    note_handed_over,
    unpack_handed_over,
)
from retrace_core.concurrency.item_lanes import CARRIED, PARCELS, hand_over, is_own, take_out
from retrace_core.concurrency.item_tasks import asking_for, put_down_in_task, take_up_in_task
from retrace_core.concurrency.ordering import is_infrastructure, note_got
from retrace_core.lanes import Lane
from retrace_core.native import RECORD, REPLAY, current, now_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import CodeType, FrameType

    from retrace_core import native

_KEY = "asyncio.Queue.get"
_ASYNCIO = os.path.join(os.path.dirname(asyncio.__file__), "")
_PUT, _GET, _GET_NOWAIT = (
    queues.Queue.put.__code__,
    queues.Queue.get.__code__,
    queues.Queue.get_nowait,
)


def _putting(put_nowait: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    @functools.wraps(put_nowait)
    def put(self: Any, item: Any) -> None:
        put_nowait(self, item)
        lane = current()
        if lane is None and not (CARRIED and PARCELS in self.__dict__):
            return
        code = called_from().f_code
        if not is_infrastructure(code) or code is _PUT or _is_the_loops(code):
            with failsafe.gate("put into a queue of tasks"):
                hand_over(self, item, lane if isinstance(lane, Lane) else None)

    return put


def _is_the_loops(code: CodeType) -> bool:
    """Return True where the event loop calls: it was told to, `call_soon(queue.put_nowait, item)`.

    One in C, as uvloop's, has no frame: that of who runs it is seen.
    """
    return code.co_filename.startswith(_ASYNCIO)


def _getting_nowait(get_nowait: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(get_nowait)
    def got(self: Any) -> Any:
        lane = current()
        if lane is None and not (CARRIED and PARCELS in self.__dict__):
            return get_nowait(self)
        caller = called_from()
        waited = caller.f_code is _GET
        if not waited:
            if is_infrastructure(caller.f_code):
                return get_nowait(self)
            if CARRIED:
                put_down_in_task(self)
                lane = current()
        if not isinstance(lane, Lane):
            return _taken(self, get_nowait(self), None, caller)
        if not waited and lane.mode == REPLAY and lane.scope.is_handed_over(lane, _KEY):
            return _given(self, lane.scope.answer(lane, HANDED_OVER, _KEY), get_nowait)
        start_ns = now_ns()
        try:
            item = get_nowait(self)
        except queues.QueueEmpty as error:
            if not waited and lane.mode == RECORD:
                record_error(lane, HANDED_OVER, _KEY, error, start_ns)
            raise
        return _taken(self, item, lane, caller)

    return got


def _taken(self: Any, item: Any, lane: Lane | None, caller: FrameType) -> Any:
    """Return an item that was got; its work, or its value, is part of a recording from here on."""
    with failsafe.gate("get from a queue of tasks"):
        parcel = take_out(self, item)
        own = lane is not None and is_own(parcel, lane)
        if parcel is not None and not own and take_up_in_task(self, parcel, caller, _GET, _KEY):
            return item
        if lane is not None and lane.mode == REPLAY:
            lane.scope.got(lane)
        elif lane is not None and own:
            note_got(lane, now_ns())
        elif lane is not None:
            note_handed_over(lane, _KEY, item, now_ns())
    return item


def _given(self: Any, packed: Any, get_nowait: Callable[[Any], Any]) -> Any:
    """Return what was handed over when recorded; where the queue has the same, that one."""
    head = -1 if issubclass(type(self), queues.LifoQueue) else 0
    if self._queue and is_packed(self._queue[head], packed):
        item = get_nowait(self)
        take_out(self, item)
        return item
    self._unfinished_tasks += 1  # it was put here by somebody
    self._finished.clear()
    return unpack_handed_over(packed)


def _getting(get: Callable[[Any], Coroutine[Any, Any, Any]]) -> Callable[[Any], Any]:
    @functools.wraps(get)
    def getting(self: Any) -> Coroutine[Any, Any, Any]:
        if CARRIED:
            put_down_in_task(self)
        lane = current()
        if lane is None:
            return get(self)
        if is_infrastructure(called_from().f_code):
            return _masked(get, self, lane)
        return _in_lane(get, self)

    return getting


async def _masked(get: Callable[[Any], Any], self: Any, lane: native.Lane) -> Any:
    with asking_for(lane), mask():
        return await get(self)


async def _in_lane(get: Callable[[Any], Any], self: Any) -> Any:
    lane = current()
    if not isinstance(lane, Lane):
        return await get(self)
    if lane.mode == REPLAY and lane.scope.is_handed_over(lane, _KEY):
        packed = await lane.scope.answer_async(lane, HANDED_OVER, _KEY)
        return _given(self, packed, _GET_NOWAIT)
    start_ns = now_ns()
    try:
        return await get(self)
    except asyncio.CancelledError as error:
        if lane.mode == RECORD:
            record_error(lane, HANDED_OVER, _KEY, error, start_ns)
        raise


BOUNDARY = Boundary(
    kind="task",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(queues.Queue, "put_nowait", _putting),
        Patch(queues.Queue, "get_nowait", _getting_nowait),
        Patch(queues.Queue, "get", _getting),
    ),
    errors=("asyncio.queues",),
)
