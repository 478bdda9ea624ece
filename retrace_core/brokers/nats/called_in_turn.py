"""Called in turn: a request's callback that is awaited for each message, one after the other.

A task of the client's does so, for as long as the subscription lasts. Each message is an event
with a lane of its own, in which the callback runs; on replay the callback is called in its turn,
and needs nobody who sends.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe
from retrace_core.boundary import mask, spoil
from retrace_core.call_lanes import CallLanes
from retrace_core.native import LANE, RECORD, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from retrace_core.lanes import Lane

__all__ = ["InTurn"]

_feeding: set[asyncio.Task[None]] = set()
"""A loop alone does not keep them."""


class InTurn:
    """A callback of a request's.

    Args:
        lane: which hands it over.
        kind: of the events.
        key: what it is called about.
        function: the request's own.
        packed: a message as plain data.
        unpacked: and back.
    """

    def __init__(
        self,
        lane: Lane,
        kind: str,
        key: object,
        function: Callable[[Any], Awaitable[None]],
        packed: Callable[[Any], object],
        unpacked: Callable[[Any], Any],
    ) -> None:
        self._lanes, self._function = CallLanes(lane), function
        self._kind, self._key = kind, key
        self._packed, self._unpacked = packed, unpacked
        if lanes := self._lanes.recorded():
            self._feed(lanes)

    async def called(self, message: Any) -> None:
        """Call it, as the client does."""
        lane = None
        with failsafe.gate("call a function of a request's"):
            lane = self._lanes.spawn()
        if lane is None:
            return await self._function(message)
        if lane.mode == RECORD:
            try:
                lane.record(self._kind, self._key, RETURNED, self._packed(message), now_ns())
            except Exception as fault:
                spoil(lane, self._kind, fault)
        token = LANE.set(lane if lane.mode == RECORD else None)
        try:
            return await self._function(message)
        finally:
            LANE.reset(token)
            lane.end()

    def _feed(self, lanes: list[Lane]) -> None:
        with mask():
            task = asyncio.get_running_loop().create_task(self._call_in(lanes))
        _feeding.add(task)
        task.add_done_callback(_feeding.discard)

    async def _call_in(self, lanes: list[Lane]) -> None:
        for lane in lanes:
            kept = await lane.scope.answer_async(lane, self._kind, self._key)
            token = LANE.set(lane)
            try:
                with contextlib.suppress(Exception):  # the client tells its own callback for them
                    await self._function(self._unpacked(kept))
            finally:
                LANE.reset(token)
                lane.end()
