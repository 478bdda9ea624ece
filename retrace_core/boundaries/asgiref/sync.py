"""asgiref's `sync_to_async` (Django under ASGI): that the thread is back is an event.

Hook: `SyncToAsync.__call__`, the coroutine that waits for the thread; read in asgiref 3.13.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from asgiref.sync import SyncToAsync

from retrace_core.boundary import Boundary, Patch
from retrace_core.concurrency.joining import joined
from retrace_core.lanes import Lane
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _joining(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    async def joining(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        wait = functools.partial(call, self, *args, **kwargs)
        return await (joined(lane, wait) if isinstance(lane, Lane) else wait())

    return joining


BOUNDARY = Boundary(
    kind="thread",
    supports="asgiref>=3.5",
    hooks=(Patch(SyncToAsync, "__call__", _joining),),
)
