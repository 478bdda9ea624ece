"""`asyncio.to_thread`: that the thread is back is an event, so that timers stay in order with it.

Hook: the code object of `asyncio.to_thread`, and not a module attribute, because the function is
imported by name. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
from asyncio import threads
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary
from retrace_core.code_hook import CodeHook
from retrace_core.concurrency.joining import joined
from retrace_core.lanes import Lane
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def _hooked(live: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    async def to_thread_in_scope(func: Any, args: Any, kwargs: Any) -> Any:
        lane = current()
        wait = functools.partial(live, func, *args, **kwargs)
        return await (joined(lane, wait) if isinstance(lane, Lane) else wait())

    return to_thread_in_scope


# Its code is what `asyncio.to_thread` runs while hooked; the name is a global of asyncio.threads.
async def to_thread(func: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Asynchronously run function *func* in a separate thread."""
    return await _retrace_to_thread(func, args, kwargs)  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore


_CODE = CodeHook(threads, to_thread, _hooked)

BOUNDARY = Boundary(
    kind="thread",
    supports="cpython>=3.11,<3.14",
    install=_CODE.install,
    remove=_CODE.remove,
)
