"""Postponed: cancellations that strike earlier on replay than they did while recording.

A client can swallow its cancellation, as redis-py does where its reply is there already; and a
timer may be early on replay. So an answer that came all the same is waited for, and the task is
cancelled where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

from retrace_core.boundary import replays_run
from retrace_core.lanes import mask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from retrace_core.lanes import Lane

__all__ = ["Postponed"]

_NEVER = threading.Event()
_STEP_S = 0.25
"""How long other tasks of a request that is over may still take to cancel one, in seconds."""


class Postponed:
    """The cancellations of one replay that are still to come.

    Args:
        check: raises where the replay has diverged.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._errors: dict[str, asyncio.CancelledError] = {}

    def __contains__(self, lane: Lane) -> bool:
        """Return True where one is to come for a lane's task."""
        return lane.id in self._errors

    async def wait(self, lane: Lane, turn: Callable[[], Awaitable[None]]) -> None:
        """Wait for a turn, also where the task is cancelled meanwhile.

        Args:
            lane: of the task.
            turn: waits for it.
        """
        try:
            await turn()
        except asyncio.CancelledError as error:
            await self._wait_on(turn)
            self._errors[lane.id] = error

    def cancel(self, lane: Lane) -> None:
        """Cancel the task of a lane now, if that is to come."""
        error, task = self._errors.pop(lane.id, None), asyncio.current_task()
        if error is not None and task is not None:
            task.uncancel()  # asked for once, as before
            task.cancel(*error.args)  # by which anyio knows its own

    @staticmethod
    async def come(over: Callable[[], bool], patience_s: float) -> bool:
        """Wait for the cancellation of this task; returns False where it does not come.

        Where the request is over, nobody of it will bring it: what else the process does had
        ended the task, and the task is cancelled here.

        Args:
            over: says whether the request's own code has come to its end.
            patience_s: how long to wait, in seconds; may be infinite.
        """
        task, waited_s = asyncio.current_task(), 0.0
        never = _never()
        while waited_s < patience_s:
            was_over = over()
            await asyncio.wait([never], timeout=_STEP_S)  # no sleep: that is an event
            waited_s += _STEP_S
            if was_over and task is not None:
                task.cancel()
        return False

    @staticmethod
    async def stay(over: Callable[[], bool], patience_s: float) -> None:
        """Wait where no answer was recorded; returns when the request itself waits for it.

        Args: as for `come`.
        """
        never = _never()
        while True:
            was_over = over()
            await asyncio.wait([never], timeout=None if patience_s == float("inf") else patience_s)
            if not was_over and not over():
                return

    @staticmethod
    def stay_in_thread(over: Callable[[], bool], patience_s: float) -> None:
        """Wait where a thread got no answer; returns when the request itself waits for it.

        Args: as for `come`.

        Raises:
            SystemExit: the replay has ended; it ends the thread, and no more.
        """
        waited_s = 0.0
        while replays_run():
            _NEVER.wait(_STEP_S)
            waited_s = 0.0 if over() else waited_s + _STEP_S
            if waited_s > patience_s:
                return
        raise SystemExit

    async def _wait_on(self, turn: Callable[[], Awaitable[None]]) -> None:
        # In a task of its own: anyio cancels again with each step of the loop.
        with mask():
            waiting = asyncio.ensure_future(turn())
        while not waiting.done():
            self._check()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(waiting)
        waiting.result()


def _never() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()
