"""Joining: when a coroutine that waited for a thread goes on, among what else its loop does.

Nothing is asked of the outside world there. But whether a timer of the same request fired before
the thread was back depends on how long the thread took, which no replay repeats.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar

from retrace_core.boundary import record_error
from retrace_core.concurrency.loop_steps import answered
from retrace_core.concurrency.ordering import BACK
from retrace_core.native import REPLAY, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from retrace_core.lanes import Lane

__all__ = ["joined"]

T = TypeVar("T")

_KEY: Final = ""


async def joined(lane: Lane, wait: Callable[[], Awaitable[T]]) -> T:
    """Return what `await wait()` returns; that it is back is an event of `lane`.

    Args:
        lane: the current one, which goes on inside.
        wait: waits for a thread.

    Raises:
        BaseException: whatever `wait` raises; a cancellation that was recorded comes again.
    """
    if lane.mode == REPLAY:
        return await _joined_again(lane, wait)
    start_ns = now_ns()
    try:
        result = await wait()
    except asyncio.CancelledError as error:
        record_error(lane, BACK, _KEY, error, start_ns)
        raise
    except BaseException:
        answered(lane, lane.record(BACK, _KEY, RETURNED, None, start_ns))
        raise
    answered(lane, lane.record(BACK, _KEY, RETURNED, None, start_ns))
    return result


async def _joined_again(lane: Lane, wait: Callable[[], Awaitable[T]]) -> T:
    scope: Any = lane.scope
    try:
        result = await wait()
    except asyncio.CancelledError:
        scope.cancelled(lane, BACK)
        raise
    except Exception:
        if scope.comes_next(lane, BACK):
            await scope.answer_async(lane, BACK, _KEY)
        raise
    if scope.comes_next(lane, BACK):
        await scope.answer_async(lane, BACK, _KEY)
    return result
