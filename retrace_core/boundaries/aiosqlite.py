"""aiosqlite: the caller's lane goes along into the connection's thread.

What runs there is sqlite3 and recorded as such, in the lane of the task that waits for it;
the wait is an event of its own, so that tasks wake up in recorded order.

Hook: `aiosqlite.core.Connection._execute`, the one queue to the thread. Read in aiosqlite 0.22.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from aiosqlite.core import Connection

from retrace_core.boundary import Boundary, Patch, call_async, mask
from retrace_core.concurrency.carrying import lend
from retrace_core.lanes import Lane
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_WAIT = "aiosqlite.wait"


async def _nothing() -> None:
    return None


def _no_value(_: Any) -> None:
    return None


def _hooked_execute(execute: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(execute)
    async def executing(self: Any, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        lane = current()
        if not isinstance(lane, Lane):
            return await execute(self, fn, *args, **kwargs)
        live = functools.partial(execute, self, lend(lane, fn), *args, **kwargs)
        if lane.mode != REPLAY:
            return await call_async(lane, _WAIT, None, live, _no_value)
        result: Any = None
        try:
            with mask():
                result = await live()
        except Exception:  # noqa: BLE001
            # What was recorded of the wait says whether it is to be raised.
            await call_async(lane, _WAIT, None, _nothing)
            raise
        await call_async(lane, _WAIT, None, _nothing)
        return result

    return executing


BOUNDARY = Boundary(
    kind="aiosqlite",
    supports="aiosqlite>=0.19",
    hooks=(Patch(Connection, "_execute", _hooked_execute),),
    errors=("sqlite3",),
)
