"""Cancelling: a task is cancelled on replay where it was cancelled, though it may come early."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from retrace_core.lanes import mask

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.lanes import Lane
    from retrace_core.replay.cursor import LaneCursor
    from retrace_core.replay.turns import Turns

__all__ = ["Cancelling"]


class Cancelling:
    """The cancellations of one replay that came before the answers they waited for.

    Args:
        broken: raises when the replay has diverged, so that nobody waits for what won't come.
    """

    def __init__(self, broken: Callable[[], None]) -> None:
        self._broken = broken
        self._postponed: dict[str, asyncio.CancelledError] = {}

    async def wait(self, turns: Turns, lane: Lane, turn: int, cursor: LaneCursor) -> None:
        """Wait for the turn of an answer, which came although the task may have been cancelled.

        For a client can swallow its cancellation, as redis-py does where its reply is there
        already, and a timer may be early on replay.
        """
        try:
            await turns.wait_async(lane, turn)
        except asyncio.CancelledError as error:
            await self._wait_on(turns, lane, turn)
            self._postponed[lane.id] = error
        if lane.id in self._postponed and cursor.ends_cancelled():
            self.cancel(lane)

    def cancel(self, lane: Lane) -> None:
        """Cancel the current task, of `lane`, where it was cancelled, if that came early."""
        error, task = self._postponed.pop(lane.id, None), asyncio.current_task()
        if error is not None and task is not None:
            task.uncancel()  # asked for once, as before
            task.cancel(*error.args)  # by which anyio knows its own

    async def _wait_on(self, turns: Turns, lane: Lane, turn: int) -> None:
        # In a task of its own: anyio cancels again with each step of the loop.
        with mask():
            waiting = asyncio.ensure_future(turns.wait_async(lane, turn))
        while not waiting.done():
            self._broken()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(waiting)
        waiting.result()
