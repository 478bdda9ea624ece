"""Handed futures: a request waits for a future whose result other work of the process sets.

A task that works for everybody in batches is handed futures by a plain list, say. A result that
none of the request's own lanes sets is an event in a lane of its own, with its value; on replay
it is set in its turn, and needs none of that work.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any, TypeVar

from retrace_core import failsafe
from retrace_core.calling import called_from
from retrace_core.concurrency.handed_over import (
    HANDED_OVER,
    NotData,
    pack_handed_over,
    unpack_handed_over,
)
from retrace_core.concurrency.ordering import is_infrastructure
from retrace_core.lanes import Lane, mask
from retrace_core.native import RECORD, REPLAY, current, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HandedFuture", "carry_future_result"]

T = TypeVar("T")
_KEY = "asyncio.Future"


class HandedFuture(asyncio.Future[T]):
    """A future that code of a lane made.

    Args:
        lane: whose.
        loop: its event loop.
    """

    def __init__(self, lane: Lane, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._parent = lane
        self._lane_id = lane.next_future_id()
        self._feeding: asyncio.Task[None] | None = None
        if lane.mode == REPLAY:
            expected = lane.scope.expect(lane, self._lane_id)
            if expected is not None:
                with mask():
                    self._feeding = loop.create_task(self._feed(expected))

    def set_result(self, result: T) -> None:
        """Set it; on replay, what was recorded is set instead, in its turn."""
        if self._feeding is None:
            super().set_result(result)
            self._note(result)

    def set_exception(self, exception: type | BaseException) -> None:
        """Set what is raised where it is awaited, as `set_result` does."""
        if self._feeding is None:
            super().set_exception(exception)
            raised = exception() if isinstance(exception, type) else exception
            self._note(raised, raised=True)

    def _note(self, value: object, *, raised: bool = False) -> None:
        lane, parent = current(), self._parent
        if parent.mode != RECORD or (isinstance(lane, Lane) and lane.scope is parent.scope):
            return
        with failsafe.gate("note a future"):
            try:
                packed = [raised, pack_handed_over(value)]
            except NotData:
                return
            handed = parent.scope.spawn(parent, self._lane_id)
            if handed.mode == RECORD:
                handed.record(HANDED_OVER, _KEY, RETURNED, packed, now_ns())
            handed.end()

    async def _feed(self, lane: Lane) -> None:
        set_: Callable[[Any], None] = super().set_exception
        try:
            kept: Any = await lane.scope.answer_async(lane, HANDED_OVER, _KEY)
            value = unpack_handed_over(kept[1])
            if not kept[0]:
                set_ = super().set_result
        except BaseException as error:  # noqa: BLE001  # whoever awaits it must not wait for ever
            value = error
        if not self.done():
            set_(value)
        lane.end()


def carry_future_result(create_future: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return an event loop's `create_future` that makes those of a scope's code `HandedFuture`s."""

    @functools.wraps(create_future)
    def carrying(loop: asyncio.AbstractEventLoop) -> Any:
        lane = current()
        if lane is None or not isinstance(lane, Lane):
            return create_future(loop)
        if is_infrastructure(called_from().f_code):
            return create_future(loop)
        return HandedFuture(lane, loop)

    return carrying
