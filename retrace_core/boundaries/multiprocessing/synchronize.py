"""Locks, semaphores, events, conditions and barriers between processes.

Another process may hold a lock, or say that something has happened; on replay there is none. So
what came of an attempt that need not succeed is an event, and so is what an `Event`, a `Condition`
or a `Barrier` said. A lock that is waited for until it is free takes its turn, as locks of threads
do; on replay, where nobody gives it back for some time, as if another process had.

Hooks: of `SemLock`, which all locks and semaphores are, `_make_name`, `_make_methods` and
`__enter__`; `Semaphore.get_value`; `is_set` and `wait` of `Event`; `Condition.wait`;
`Barrier.wait`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import threading
from multiprocessing.synchronize import Barrier, Condition, Event, Semaphore, SemLock
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.calling import called_from
from retrace_core.concurrency.ordering import in_turn, is_infrastructure
from retrace_core.lanes import Lane, mask
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

_PATIENCE_S = 3.0
"""After so long nobody of this process gives a lock back: another had, when it was recorded."""
_ALONE_S = 0.02
"""As that, where there is no other thread to give it back."""
_LENT = "_retrace_lent"
"""Attribute of a lock: how often it was got on replay though it was not free."""


def _naming(made: Any) -> Any:
    """Return a `_make_name` that draws one for itself on replay, too.

    The recorded one may be taken: by the service that was recorded, or by another replay of it.
    """
    name: Callable[[], str] = made.__func__

    @functools.wraps(name)
    def naming() -> str:
        with mask():
            return name()

    return staticmethod(naming)


def _making(make: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(make)
    def making(lock: Any) -> None:
        make(lock)
        lock.acquire = functools.partial(_acquire, lock, lock.acquire)
        lock.release = functools.partial(_release, lock, lock.release)

    return making


def _acquire(lock: Any, live: Callable[..., bool], *args: Any, **options: Any) -> bool:
    lane = current()
    if not isinstance(lane, Lane):
        return live(*args, **options)
    code = called_from().f_code
    if is_infrastructure(code):
        if lane.mode == REPLAY:
            return _got(lock, live) if _waits(*args, **options) else live(*args, **options)
        return live(*args, **options)
    if _waits(*args, **options):
        return _in_turn(lane, lock, live, code)
    asked = functools.partial(live, *args, **options)
    got: bool = call(lane, "multiprocessing.acquire", type(lock).__name__, asked)
    return _got(lock, live) if got and lane.mode == REPLAY else got


def _waits(block: bool = True, timeout: float | None = None) -> bool:
    return bool(block) and timeout is None


def _in_turn(lane: Lane, lock: Any, live: Callable[..., bool], code: CodeType) -> bool:
    if lane.mode != REPLAY:
        return in_turn(lane, "lock", code, live, lambda _: live())
    got = functools.partial(_got, lock, live)
    return in_turn(lane, "lock", code, got, lambda _: got())


def _got(lock: Any, live: Callable[..., bool]) -> bool:
    """Take a lock on replay; where nobody here gives it back, another process would have."""
    lane = current()
    is_alone = isinstance(lane, Lane) and len(lane.scope.lanes) == 1
    if not live(True, _ALONE_S if is_alone else _PATIENCE_S):
        vars(lock)[_LENT] = vars(lock).get(_LENT, 0) + 1
    return True


def _release(lock: Any, live: Callable[[], None]) -> None:
    if vars(lock).get(_LENT):
        vars(lock)[_LENT] -= 1
    else:
        live()


def _entering(enter: Callable[[Any], bool]) -> Callable[[Any], bool]:
    @functools.wraps(enter)
    def entering(lock: Any) -> bool:
        lane = current()
        if not isinstance(lane, Lane):
            return enter(lock)
        code = called_from().f_code
        if lane.mode != REPLAY and is_infrastructure(code):
            return enter(lock)
        live = lock._semlock.acquire
        if is_infrastructure(code):
            return _got(lock, live)
        return _in_turn(lane, lock, live, code)

    return entering


def _leaving(leave: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(leave)
    def leaving(lock: Any, *args: Any) -> None:
        if vars(lock).get(_LENT):
            vars(lock)[_LENT] -= 1
        else:
            leave(lock, *args)

    return leaving


def _asked(kind: str, ask: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(ask)
    def asking(owner: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return ask(owner, *args, **options)
        return call(lane, kind, None, functools.partial(ask, owner, *args, **options))

    return asking


def _ask(owner: Any, name: str, kind: str) -> Patch:
    return Patch(owner, name, functools.partial(_asked, f"multiprocessing.{kind}"))


BOUNDARY = Boundary(
    kind="multiprocessing",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(SemLock, "_make_name", _naming),
        Patch(SemLock, "_make_methods", _making),
        Patch(SemLock, "__enter__", _entering),
        Patch(SemLock, "__exit__", _leaving),
        _ask(Semaphore, "get_value", "get_value"),
        _ask(Event, "is_set", "is_set"),
        _ask(Event, "wait", "event"),
        _ask(Condition, "wait", "condition"),
        _ask(Barrier, "wait", "barrier"),
    ),
    errors=(threading.BrokenBarrierError,),
)
