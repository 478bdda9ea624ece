"""Queues between processes: what a request gets out of one is an event, with its value.

On replay nobody is on the other side: what is put goes nowhere, so that no thread waits for
somebody to take it.

Hooks: `put`, `get`, `empty`, `full`, `qsize` of `Queue` and `SimpleQueue`, `put`, `task_done` and
`join` of `JoinableQueue`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
from multiprocessing.queues import JoinableQueue, Queue, SimpleQueue
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.calling import called_from
from retrace_core.concurrency.ordering import is_infrastructure
from retrace_core.native import REPLAY, current
from retrace_core.programs.other_process import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable

_OWN = (Queue.get_nowait.__code__, Queue.put_nowait.__code__)


def _asked(kind: str, ask: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(ask)
    def asking(queue: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None or _is_infrastructure():
            return ask(queue, *args, **options)
        live = functools.partial(ask, queue, *args, **options)
        return call(lane, kind, None, live, packed, unpacked)

    return asking


def _told(tell: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(tell)
    def telling(queue: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None or lane.mode != REPLAY or _is_infrastructure():
            return tell(queue, *args, **options)
        return None

    return telling


def _is_infrastructure() -> bool:
    frame = called_from(2)
    if frame.f_code in _OWN and frame.f_back is not None:
        frame = frame.f_back
    return is_infrastructure(frame.f_code)


def _ask(owner: Any, *names: str) -> tuple[Patch, ...]:
    made = (functools.partial(_asked, f"multiprocessing.{name}") for name in names)
    return tuple(Patch(owner, name, hook) for name, hook in zip(names, made, strict=True))


BOUNDARY = Boundary(
    kind="multiprocessing",
    supports="cpython>=3.11,<3.14",
    hooks=(
        *_ask(Queue, "get", "empty", "full", "qsize"),
        *_ask(SimpleQueue, "get", "empty"),
        *_ask(JoinableQueue, "join"),
        Patch(Queue, "put", _told),
        Patch(SimpleQueue, "put", _told),
        Patch(JoinableQueue, "put", _told),
        Patch(JoinableQueue, "task_done", _told),
    ),
    errors=("queue",),
)
