"""Simple queue: `queue.SimpleQueue` as applications get it, which knows whose an item is.

The class is in C and has no place for a hook. What a lane puts there goes in as a parcel, and
comes out as it was.
"""

from __future__ import annotations

import functools
from _queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import record_error
from retrace_core.calling import called_from
from retrace_core.concurrency.handed_over import (
    HANDED_OVER,
    is_packed,
    note_handed_over,
    unpack_handed_over,
)
from retrace_core.concurrency.item_lanes import (
    CARRIED,
    Parcel,
    is_own,
    parcel_of,
    put_down,
    take_up,
)
from retrace_core.concurrency.ordering import TURN, in_turn, is_infrastructure, note_got, turn_key
from retrace_core.lanes import Lane
from retrace_core.native import REPLAY, current, now_ns

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["CarryingQueue"]

_KEY = "queue.SimpleQueue.get"


_PUT, _GET = SimpleQueue.put, SimpleQueue.get


class _AnySimpleQueue(type):
    def __instancecheck__(cls, instance: object) -> bool:
        own = super().__instancecheck__(instance)
        return own or (cls is CarryingQueue and isinstance(instance, SimpleQueue))


class CarryingQueue(SimpleQueue, metaclass=_AnySimpleQueue):  # type: ignore[type-arg]
    """What `queue.SimpleQueue()` makes where no infrastructure asks for it."""

    def __new__(cls, *_: Any, **__: Any) -> Any:
        """Make one; pools of threads get the original."""
        if cls is CarryingQueue and is_infrastructure(called_from().f_code):
            return SimpleQueue()
        return super().__new__(cls)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put an item into the queue; never blocks."""
        lane = current()
        if not isinstance(lane, Lane):
            _PUT(self, item)
            return
        live = functools.partial(_PUT, self, parcel_of(item, lane))
        in_turn(lane, "put", None, live, lambda _: live())

    def put_nowait(self, item: Any) -> None:
        """Put an item into the queue."""
        self.put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take an item out; raises `queue.Empty` where none comes in time."""
        if not CARRIED and current() is None:
            # What comes in the end may have been put there in a lane, the first of all.
            got = _GET(self, block, timeout)
            return got if type(got) is not Parcel else self._opened(got, called_from())
        return self._got(called_from(), block, timeout)

    def get_nowait(self) -> Any:
        """Take an item out, if there is one."""
        return self.get(block=False)

    def _got(self, frame: FrameType, block: bool, timeout: float | None) -> Any:
        if CARRIED:
            put_down(self)
        lane = current()
        if not isinstance(lane, Lane):
            return self._opened(_GET(self, block, timeout), frame)
        if lane.mode == REPLAY:
            return self._again(lane, functools.partial(_GET, self, block, timeout), frame)
        start_ns = now_ns()
        try:
            got = _GET(self, block, timeout)
        except Empty as error:
            record_error(lane, TURN, turn_key("get", None), error, start_ns)
            raise
        parcel = got if type(got) is Parcel else None
        item = parcel.item if parcel is not None else got
        if is_own(parcel, lane):
            note_got(lane, start_ns)
        else:
            note_handed_over(lane, _KEY, item, start_ns)
        return item

    def _again(self, lane: Lane, live: Callable[[], Any], frame: FrameType) -> Any:
        if lane.scope.is_handed_over(lane, _KEY):
            return self._given(lane.scope.answer(lane, HANDED_OVER, _KEY))

        def again(patience_s: float) -> Any:
            limit_s = None if patience_s == float("inf") else patience_s
            return _GET(self, True, limit_s)

        got = in_turn(lane, "get", None, live, again)
        if is_own(got if type(got) is Parcel else None, lane):
            return got.item
        return self._opened(got, frame)

    def _opened(self, item: Any, frame: FrameType) -> Any:
        if type(item) is not Parcel:
            return item
        take_up(self, item, frame)
        return item.item

    def _given(self, packed: Any) -> Any:
        """Return what was handed over when recorded; where the queue has the same, that one."""
        if not self.empty():
            head = _GET(self)
            item = head.item if type(head) is Parcel else head
            if is_packed(item, packed):
                return item
            others = [head]
            while not self.empty():
                others.append(_GET(self))
            for one in others:
                _PUT(self, one)
        return unpack_handed_over(packed)
