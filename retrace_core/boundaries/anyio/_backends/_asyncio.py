"""anyio's worker threads (Starlette's and FastAPI's sync handlers) run in lanes of their own.

Hook: `AsyncIOBackend.run_sync_in_worker_thread`, to which `anyio.to_thread.run_sync` comes;
it does not use an executor. And the sets `_tasks` that cancel scopes and task groups make:
whom they cancel first is the same on replay. Read in anyio 3.7, which has a function in the place
of that method, and 4.16.
"""

from __future__ import annotations

import contextvars
import functools
from typing import TYPE_CHECKING, Any

from anyio._backends import _asyncio
from anyio._core._eventloop import threadlocals

from retrace_core.boundary import Boundary, Patch
from retrace_core.concurrency.carrying import carry
from retrace_core.concurrency.joining import joined
from retrace_core.concurrency.serving_thread import on_its_thread
from retrace_core.concurrency.spawn_order import in_spawn_order
from retrace_core.lanes import Lane
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable


def _carrying_run(raw: Any) -> Any:
    run: Callable[..., Any] = raw.__func__

    async def carrying(
        backend: Any, func: Callable[..., Any], args: tuple[Any, ...], *more: Any, **options: Any
    ) -> Any:
        lane = current()
        if not isinstance(lane, Lane):
            return await run(backend, func, args, *more, **options)
        return await _run(lane, func, lambda work: run(backend, work, args, *more, **options))

    return classmethod(carrying)


def _carrying_run_of_3(run: Callable[..., Any]) -> Any:
    @functools.wraps(run)
    async def carrying(func: Callable[..., Any], *args: Any, **options: Any) -> Any:
        lane = current()
        if not isinstance(lane, Lane):
            return await run(func, *args, **options)
        return await _run(lane, func, lambda work: run(work, *args, **options))

    return carrying


async def _run(lane: Lane, func: Callable[..., Any], live: Callable[..., Any]) -> Any:
    """Have a function run on a thread, in a lane of its own; return what it returns.

    Args:
        lane: of who waits for it.
        func: the function.
        live: has what it is given run on a thread.
    """
    child = lane.spawn()
    started = False

    def work(*given: Any) -> Any:
        nonlocal started
        started = True
        try:
            return carried(*given)
        finally:
            child.end()

    carried = carry(lane, child, func)
    if child.mode == REPLAY:
        carried = _as_its_worker(child, carried)
    try:
        return await joined(lane, functools.partial(live, work))
    finally:
        if not started:  # cancelled while it waited for a free thread
            child.end()


def _as_its_worker(lane: Lane, work: Callable[..., Any]) -> Callable[..., Any]:
    """Return work that the thread which stands for the recorded one does as a worker of anyio's."""

    def doing(*args: Any) -> Any:
        known = dict(vars(threadlocals))  # its event loop, among others
        context = contextvars.copy_context()

        def as_worker(*given: Any) -> Any:
            before = dict(vars(threadlocals))
            vars(threadlocals).update(known)
            try:
                return context.run(work, *given)
            finally:
                vars(threadlocals).clear()
                vars(threadlocals).update(before)

        return on_its_thread(lane, as_worker)(*args)

    return doing


_WORK = "run_sync_in_worker_thread"

BOUNDARY = Boundary(
    kind="thread",
    supports="anyio>=3.7",
    hooks=(
        Patch(_asyncio.AsyncIOBackend, _WORK, _carrying_run)
        if hasattr(_asyncio, "AsyncIOBackend")
        else Patch(_asyncio, _WORK, _carrying_run_of_3),
        Patch(_asyncio.CancelScope, "__init__", in_spawn_order),
        Patch(_asyncio.TaskGroup, "__init__", in_spawn_order),
    ),
)
