"""Timed tasks: `asyncio.wait_for` of what the start-up left running, which waits in vain.

A task that waits for its end, a minute at a time, and does its work in between, pauses as by
`asyncio.sleep`: as often as it had when the request came it does so on replay.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from typing import TYPE_CHECKING, Any, cast

from retrace_core.boot.tape import is_of_boot
from retrace_core.lanes import Lane, mask
from retrace_core.native import LANE, REPLAY, current, now_ns
from retrace_core.recording import ASYNC_SLEEP, RETURNED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["hooked_wait_for"]

_EARLY_NS = 2_000_000
"""So much too early a loop's timer may come: uvloop counts milliseconds."""
_RUNS_IN_TASK = sys.version_info < (3, 12)
"""What is waited for is a task of its own, with a lane of its own, where it is a coroutine."""


def hooked_wait_for(wait_for: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return a `wait_for` that pauses, in the background of the start-up, as often as it had."""

    @functools.wraps(wait_for)
    def waiting(fut: Any, timeout: float | None) -> Awaitable[Any]:
        lane = current()
        if not isinstance(lane, Lane) or not timeout or timeout < 0 or not _is_behind(lane):
            return wait_for(fut, timeout)
        if lane.mode == REPLAY:
            return _again(lane, fut, timeout)
        return _recorded(lane, wait_for, fut, timeout)

    return waiting


def _is_behind(lane: Lane) -> bool:
    return is_of_boot(lane) and lane is not cast("Any", lane.scope).root


async def _recorded(
    lane: Lane, wait_for: Callable[..., Awaitable[Any]], fut: Any, seconds: float
) -> Any:
    start_ns = now_ns()
    try:
        return await wait_for(fut, seconds)
    except TimeoutError:
        if now_ns() - start_ns >= seconds * 0.9e9 - _EARLY_NS:  # else what it waits for has that
            lane.record(ASYNC_SLEEP, seconds, RETURNED, None, start_ns)
        raise


async def _again(lane: Lane, fut: Any, seconds: float) -> Any:
    scope: Any = lane.scope
    loop = asyncio.get_running_loop()
    inner = _task(lane, fut)
    with mask():  # no task of the application's
        pausing = loop.create_task(scope.answer_async(lane, ASYNC_SLEEP, seconds))
    pausing.add_done_callback(_asked_for)
    try:
        await asyncio.wait([inner, pausing], return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        inner.cancel()
        pausing.cancel()
        raise
    if inner.done():
        if not pausing.done():
            pausing.cancel()
            scope.woken()
        return inner.result()
    if pausing.exception() is not None:  # on no tape: who knows how long it waited
        return await inner
    inner.cancel()
    await asyncio.wait([inner])
    raise TimeoutError


def _asked_for(pausing: asyncio.Task[Any]) -> None:
    """Ask what became of it, or the loop would say that nobody had, where the other was first."""
    if not pausing.cancelled():
        pausing.exception()


def _task(lane: Lane, fut: Any) -> asyncio.Future[Any]:
    if _RUNS_IN_TASK or asyncio.isfuture(fut):
        task: asyncio.Future[Any] = asyncio.ensure_future(fut)
        return task

    async def carried() -> Any:
        LANE.set(lane)
        return await cast("Awaitable[Any]", fut)

    with mask():
        return asyncio.get_running_loop().create_task(carried())
