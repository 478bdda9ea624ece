"""Found done: which of several tasks `asyncio.wait` found done, where it does not wait for all.

Nothing is asked of the outside world there. But how many are over besides the first depends on
how busy the event loop was, or, where there is a timeout, on how long each of them took.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any, Final, cast

from retrace_core.boundary import record_error
from retrace_core.calling import called_from
from retrace_core.concurrency.loop_steps import answered
from retrace_core.concurrency.ordering import FOUND_DONE, is_infrastructure
from retrace_core.concurrency.spawn_order import by_spawn
from retrace_core.lanes import Lane
from retrace_core.native import REPLAY, current, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

__all__ = ["hooked_wait"]

_KEY: Final = ""

_Sets = tuple[set[Any], set[Any]]


def hooked_wait(wait: Callable[..., Awaitable[_Sets]]) -> Callable[..., Awaitable[_Sets]]:
    """Return an `asyncio.wait` that finds done on replay what it had found done.

    Its sets are gone through in the order in which the tasks were spawned.
    """

    async def in_order(fs: Any, **options: Any) -> _Sets:
        done, pending = await wait(fs, **options)
        return by_spawn(done), by_spawn(pending)

    @functools.wraps(wait)
    def waiting(fs: Any, **options: Any) -> Awaitable[_Sets]:
        lane = current()
        if lane is None:
            return wait(fs, **options)
        if not isinstance(lane, Lane) or _waits_for_all(**options):
            return in_order(fs, **options)
        if is_infrastructure(called_from().f_code):
            return in_order(fs, **options)
        fs = list(fs)  # an iterator is gone through once
        live = functools.partial(in_order, fs, **options)
        if lane.mode == REPLAY:
            return _found_again(lane, fs, live, wait)
        return _recorded(lane, live)

    return waiting


def _waits_for_all(
    *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> bool:
    return timeout is None and return_when == asyncio.ALL_COMPLETED


async def _recorded(lane: Lane, live: Callable[[], Awaitable[_Sets]]) -> _Sets:
    start_ns = now_ns()
    try:
        done, pending = await live()
    except asyncio.CancelledError as error:
        record_error(lane, FOUND_DONE, _KEY, error, start_ns)
        raise
    lanes = [name for task in done if (name := _lane_of(task))]
    answered(lane, lane.record(FOUND_DONE, _KEY, RETURNED, lanes, start_ns))
    return done, pending


async def _found_again(
    lane: Lane,
    futures: Iterable[Any],
    live: Callable[[], Awaitable[_Sets]],
    wait: Callable[..., Awaitable[_Sets]],
) -> _Sets:
    """Return the sets as they were, once those that had been done are.

    A future without a lane is one that the replay can't know again: the live answer counts.
    """
    scope: Any = lane.scope
    if not scope.comes_next(lane, FOUND_DONE):
        return await live()
    unknown: set[Any] = set()
    try:
        if not all(_lane_of(one) for one in futures):
            done, _ = await live()
            unknown = {one for one in done if not _lane_of(one)}
        lanes = cast("list[str]", await scope.answer_async(lane, FOUND_DONE, _KEY))
        found = {one for one in futures if _lane_of(one) in lanes}
        if found:
            await wait(found, timeout=scope.patience_s)
    except asyncio.CancelledError:
        scope.cancelled(lane, FOUND_DONE)
        raise
    found |= unknown
    return by_spawn(found), by_spawn({one for one in futures if one not in found})


def _lane_of(future: Any) -> str:
    name: str = getattr(future, "retrace_lane", "")
    return name
