"""Work that a request submits to a thread pool runs in lanes of its own.

Hook: `ThreadPoolExecutor.submit`; `map`, `loop.run_in_executor`, `asyncio.to_thread` and
asgiref's `sync_to_async` all come through it. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
from concurrent.futures.thread import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch
from retrace_core.concurrency.carrying import carry_future
from retrace_core.lane_hook import lane_hook
from retrace_core.lanes import Lane
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _carrying_submit(submit: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(submit)
    def carrying(
        pool: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        lane = current()
        if not isinstance(lane, Lane):
            return submit(pool, fn, *args, **kwargs)
        # What an initializer has done is there on the pool's own threads only.
        pooled = vars(pool).get("_initializer") is None
        return carry_future(functools.partial(submit, pool), lane, fn, args, kwargs, pooled=pooled)

    return lane_hook(submit, carrying)


BOUNDARY = Boundary(
    kind="thread",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(ThreadPoolExecutor, "submit", _carrying_submit),),
)
