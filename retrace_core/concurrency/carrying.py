"""Carrying: how a scope gets into the threads and tasks that its code starts.

Each runs in a lane of its own, a child of the one in which it was started.
"""

from __future__ import annotations

import functools
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from retrace_core.concurrency.ordering import BEGUN, note_turn, pass_in_turn
from retrace_core.concurrency.serving_thread import on_its_thread, serving_thread
from retrace_core.lane_hook import lane_hook
from retrace_core.lanes import Lane, mask
from retrace_core.native import LANE, REPLAY, bind_thread, current, now_ns

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from contextvars import Context

    from retrace_core import native

__all__ = ["begin", "carry", "carry_future", "carry_task", "lend"]

T = TypeVar("T")


def carry(
    parent: native.Lane, child: Lane, function: Callable[..., T], *, ends: bool = True
) -> Callable[..., T]:
    """Return `function` such that it runs in lane `child` on whatever thread calls it.

    Code below may run in a copy of the parent's context (`asyncio.to_thread`, asgiref);
    therefore the thread is told that the parent's lane means the child's.

    Args:
        parent: the lane from which it comes.
        child: a lane of its own.
        function: what runs.
        ends: whether nothing happens in the lane after it.
    """

    @functools.wraps(function)
    def carried(*args: Any, **kwargs: Any) -> T:
        previous = bind_thread(parent, child)
        token = LANE.set(child)
        try:
            begin(child)
            return function(*args, **kwargs)
        finally:
            LANE.reset(token)
            bind_thread(*previous)
            if ends and child.mode == REPLAY:
                child.scope.lane_ending(child)

    return carried


def begin(lane: Lane) -> None:
    """Let the work of a lane begin, on its thread, in the recorded order of threads."""
    if lane.mode == REPLAY:
        pass_in_turn(lane, BEGUN)
    else:
        note_turn(lane, BEGUN, None, serving_thread(), now_ns())


def lend(lane: Lane, function: Callable[..., T]) -> Callable[..., T]:
    """Return `function` such that it runs in `lane` itself on another thread.

    Only while the lane's own task waits for it: a lane has one writer at a time.
    """

    @functools.wraps(function)
    def lent(*args: Any, **kwargs: Any) -> T:
        token = LANE.set(lane)
        try:
            return function(*args, **kwargs)
        finally:
            LANE.reset(token)

    return lent


def carry_future(
    submit: Callable[..., Future[T]],
    lane: Lane,
    function: Callable[..., T],
    args: tuple[Any, ...] = (),
    options: Mapping[str, Any] | None = None,
    *,
    pooled: bool = False,
) -> Future[T]:
    """Return the future of `function` submitted to an executor in a new child of `lane`.

    The submit itself runs masked: a worker thread that it starts must not keep the lane.

    Args:
        submit: of the executor.
        lane: the current one.
        function, args, options: what is to be done.
        pooled: whether the executor's threads keep something from one piece of work to the next.
    """
    child = lane.spawn()
    try:
        work = carry(lane, child, function)
        with mask():
            future = submit(
                on_its_thread(child, work) if pooled else work, *args, **(options or {})
            )
    except BaseException:
        child.end()
        raise
    future.retrace_lane = child.id  # type: ignore[attr-defined]  # by which replay knows it again
    future.add_done_callback(child.end)
    return future


def carry_task(create_task: Callable[..., Any]) -> Callable[..., Any]:
    """Return an event loop's `create_task` that gives each task of a scope its own lane."""

    @functools.wraps(create_task)
    def carrying(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> Any:
        lane = current()
        if lane is None or not isinstance(lane, Lane):
            return create_task(loop, coro, **options)
        if type(coro).__name__ == "async_generator_athrow":
            with mask():  # an abandoned generator is closed whenever it is collected
                return create_task(loop, coro, **options)
        child = lane.spawn()
        given: Context | None = options.get("context")
        context = copy_context() if given is None else given
        try:
            context.run(LANE.set, child)
        except RuntimeError:  # the given context is entered already: the lane stays shared
            child.end()
            return create_task(loop, coro, **options)
        task = create_task(loop, coro, **{**options, "context": context})
        with suppress(AttributeError):  # a task of a factory may take no more attributes
            task.retrace_lane = child.id  # by which it is told from others
        task.add_done_callback(child.end)
        return task

    return lane_hook(create_task, carrying)
