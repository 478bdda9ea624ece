"""Called back: the world calls, at any time, a function that a request handed to a library.

A database's notification is one. Each call is an event, with what it brought, in a lane of its
own, in which the function then runs; on replay it is called in its turn, and needs nobody who
calls.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from retrace_core.call_lanes import CallLanes
from retrace_core.lanes import mask
from retrace_core.native import LANE, RECORD, REPLAY, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.lanes import Lane

__all__ = ["CalledBack", "FedFuture", "made_future"]


class CalledBack:
    """A function that the world calls.

    Args:
        lane: which handed it over.
        kind: of the events.
        key: what it is called about.
        function: gets what a call brought, as a value of the codec.
    """

    def __init__(self, lane: Lane, kind: str, key: object, function: Callable[[Any], Any]) -> None:
        self._lanes = CallLanes(lane)
        self._kind, self._key, self._function = kind, key, function
        self._feeding: asyncio.Task[None] | None = None

    def called(self, value: object) -> None:
        """Call the function, as the world does; on replay it is `feed` that calls."""
        if self._lanes.parent.mode == REPLAY:
            return
        lane = self._lanes.spawn()
        if lane.mode == RECORD:
            lane.record(self._kind, self._key, RETURNED, value, now_ns())
        self._call(lane, value)

    def feed(self) -> None:
        """Have the recorded calls made, each in its turn; does nothing outside of a replay."""
        if lanes := self._lanes.recorded():
            with mask():
                self._feeding = asyncio.get_running_loop().create_task(self._feed(lanes))

    async def _feed(self, lanes: list[Lane]) -> None:
        for lane in lanes:
            self._call(lane, await lane.scope.answer_async(lane, self._kind, self._key))

    def _call(self, lane: Lane, value: object) -> None:
        token = LANE.set(lane)
        try:
            result = self._function(value)
            if inspect.iscoroutine(result):
                _running.add(task := asyncio.get_running_loop().create_task(result))
                task.add_done_callback(_running.discard)
        except Exception as error:  # noqa: BLE001  # as the loop does of what it calls
            context = {"message": f"Exception in a callback of {self._kind}", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
        finally:
            LANE.reset(token)
            lane.end()


class FedFuture(asyncio.Future[Any]):
    """One in Python, which takes an attribute of ours."""

    feed: CalledBack | None = None
    """What sets it on replay, kept for as long as the future is."""


def made_future() -> FedFuture:
    """Return a future of the running loop that is no event itself."""
    with mask():
        return FedFuture(loop=asyncio.get_running_loop())


_running: set[asyncio.Task[Any]] = set()
"""Tasks of callbacks that are coroutine functions: a loop alone does not keep them."""
