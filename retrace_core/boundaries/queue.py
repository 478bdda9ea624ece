"""Queues between threads: which item went to which thread, in which order.

Hook: `put` and `get` of `queue.Queue`, and, below them, `_put` and `_get` of each class: these
run while the queue is locked, so that the order recorded there is the true one. A thread that
serves many requests works on each one's items in a lane of that request (`item_lanes`). The C
class `SimpleQueue` is not hooked. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import queue
import threading
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe
from retrace_core.boot.tape import is_of_boot
from retrace_core.boundary import Boundary, Patch, record_error
from retrace_core.calling import called_from
from retrace_core.concurrency.handed_over import (
    HANDED_OVER,
    is_packed,
    note_handed_over,
    unpack_handed_over,
)
from retrace_core.concurrency.item_lanes import (
    CARRIED,
    PARCELS,
    Parcel,
    hand_over,
    is_own,
    put_down,
    take_out,
    take_up,
)
from retrace_core.concurrency.ordering import (
    TURN,
    in_turn,
    is_infrastructure,
    note_got,
    note_turn,
    turn_key,
)
from retrace_core.concurrency.simple_queue import CarryingQueue
from retrace_core.concurrency.timed import Attempt, attempted
from retrace_core.lane_hook import lane_hook
from retrace_core.lanes import Lane
from retrace_core.native import REPLAY, current, now_ns

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_KEY = "queue.Queue.get"
_OWN = (queue.Queue.put_nowait.__code__, queue.Queue.get_nowait.__code__)


class _Here(threading.local):
    lane: Lane | None = None
    """Whose order is recorded, or replayed, while this thread is inside `put` or `get`."""
    parcel: Parcel | None = None
    """Whose the item is that this thread has just got."""


_here = _Here()


def _in_order(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return `put` or `get` such that it takes its recorded turn."""
    name = call.__name__

    def ordered(lane: Lane, self: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        live = functools.partial(call, self, *args, **options)
        if lane.mode == REPLAY:
            if name == "get" and lane.scope.is_handed_over(lane, _KEY):
                return _given(self, lane.scope.answer(lane, HANDED_OVER, _KEY))
            item = args[:1] if name == "put" else ()

            def again(patience_s: float) -> Any:
                timeout = None if patience_s == float("inf") else patience_s
                return call(self, *item, timeout=timeout)

            return in_turn(lane, name, None, live, again)
        start_ns = now_ns()
        try:
            return live()
        except (queue.Empty, queue.Full) as error:
            if name == "get" or len(lane.scope.lanes) > 1:
                record_error(lane, TURN, turn_key(name, None), error, start_ns)
            raise

    def pausing(lane: Lane, self: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Do it in the background of the start-up, where what is in vain is a pause."""
        own = args[:1] if name == "put" else ()
        timeout = _waits(args[len(own) :], options)
        got: list[Any] = []

        def done(*_: object, seconds: float | None = None) -> bool:
            try:
                if seconds is None:
                    got.append(call(self, *args, **options))
                else:
                    got.append(call(self, *own, seconds > 0, seconds or None))
            except (queue.Empty, queue.Full):
                return False
            return True

        def again(seconds: float) -> bool:
            return done(seconds=seconds)

        if attempted(lane, None, Attempt(name, timeout, done, again)):
            return got[-1]
        raise queue.Empty if name == "get" else queue.Full

    def inside(lane: Lane, self: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        _here.lane = lane
        try:
            if is_of_boot(lane) and _waits(args[name == "put" :], options):
                return pausing(lane, self, args, options)
            return ordered(lane, self, args, options)
        finally:
            _here.lane = None

    @functools.wraps(call)
    def put(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if not isinstance(lane, Lane) or is_infrastructure(_caller().f_code):
            return call(self, *args, **options)
        return inside(lane, self, args, options)

    @functools.wraps(call)
    def get(self: Any, *args: Any, **options: Any) -> Any:
        if CARRIED and PARCELS in self.__dict__:
            put_down(self)
        lane = current()
        if isinstance(lane, Lane) and not is_infrastructure(_caller().f_code):
            item = inside(lane, self, args, options)
        else:
            item = call(self, *args, **options)
        if CARRIED and PARCELS in self.__dict__ and (parcel := _here.parcel) is not None:
            _here.parcel = None
            if not is_infrastructure((frame := _caller()).f_code):
                take_up(self, parcel, frame)
        return item

    return lane_hook(call, put) if name == "put" else get


def _waits(args: tuple[Any, ...], options: dict[str, Any]) -> float:
    """Return for how long it is waited for, in seconds; 0 for not, or for ever."""
    block = bool(args[0] if args else options.get("block", True))
    timeout = args[1] if len(args) > 1 else options.get("timeout")
    return float(timeout) if block and timeout is not None else 0.0


def _given(self: Any, packed: Any) -> Any:
    """Return what was handed over when recorded; where the queue has the same, that one."""
    with self.mutex:
        head = -1 if isinstance(self, queue.LifoQueue) else 0
        if self.queue and is_packed(self.queue[head], packed):
            self.not_full.notify()
            return self._get()
        self.unfinished_tasks += 1  # it was put here by somebody
    return unpack_handed_over(packed)


def _caller() -> FrameType:
    """Return the frame of who called the hook, save for the queue's own `put_nowait`."""
    frame = called_from(2)
    return frame.f_back if frame.f_code in _OWN and frame.f_back is not None else frame


def _noted(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def hook(change: Callable[..., Any]) -> Callable[..., Any]:
        """Return `_put` or `_get`, which runs under the queue's lock, noting its place."""

        @functools.wraps(change)
        def noting(self: Any, *args: Any) -> Any:
            result = change(self, *args)
            lane = _here.lane
            notes = lane is not None and lane.mode != REPLAY and current() is lane
            if lane is not None or (CARRIED and PARCELS in self.__dict__):
                with failsafe.gate("note a queue"):
                    if name == "put":
                        hand_over(self, args[0], lane)
                    else:
                        _here.parcel = take_out(self, result)
            if notes and lane is not None:
                if name == "put":
                    note_turn(lane, name, None, True, now_ns())
                elif is_own(_here.parcel, lane):
                    note_got(lane, now_ns())
                else:
                    note_handed_over(lane, _KEY, result, now_ns())
            return result

        return noting

    return hook


BOUNDARY = Boundary(
    kind="thread",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(queue.Queue, "put", _in_order),
        Patch(queue.Queue, "get", _in_order),
        Patch(queue, "SimpleQueue", lambda _: CarryingQueue),
        *(
            Patch(cls, f"_{name}", _noted(name))
            for cls in (queue.Queue, queue.LifoQueue, queue.PriorityQueue)
            for name in ("put", "get")
        ),
    ),
    errors=("queue",),
)
