"""Timed waits: those of `threading` and of futures, each tried as `timed` says.

A condition is waited for without its lock: on replay, too, others of the request's threads may
need that to get on. That it was taken again is an event of its own. Those that have no limit take
turns, as locks do: whom a notification wakes go on in the order in which they went on.
"""

from __future__ import annotations

import functools
import threading
from concurrent.futures import CancelledError, TimeoutError
from typing import TYPE_CHECKING, Any

from retrace_core.boot.tape import is_of_boot
from retrace_core.calling import called_from
from retrace_core.concurrency.ordering import (
    in_turn,
    is_infrastructure,
    pass_in_turn,
    patient,
    turn_key,
)
from retrace_core.concurrency.timed import Attempt, attempted
from retrace_core.lane_hook import lane_hook
from retrace_core.lanes import Lane
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from types import CodeType

__all__ = [
    "hooked_acquire",
    "hooked_enter",
    "hooked_exception",
    "hooked_join",
    "hooked_result",
    "hooked_wait",
    "hooked_wait_condition",
]

_ALONE_S = 2.0
_BRIEF_S = 0.05
"""How long a notification is waited for that was got when it was recorded: of the request's other
threads it has come by then."""


_BY_ITSELF = {
    function.__code__
    for function in (
        threading.Barrier.wait,
        *(getattr(threading.Barrier, name) for name in ("_enter", "_wait")),
        threading.Timer.run,
    )
}
"""Functions of the library whose waits are the application's."""


def _lane_of(code: CodeType) -> Lane | None:
    """Return the lane for a wait of a function, None where it is nobody's event."""
    lane = current()
    if not isinstance(lane, Lane) or (is_infrastructure(code) and code not in _BY_ITSELF):
        return None
    return lane


def _untimed(lane: Lane, what: str, code: CodeType, wait: Callable[[float | None], bool]) -> bool:
    """Wait without a limit, in turn with the request's other threads.

    Where it has none it is an event all the same: who woke it may be another request's thread.
    """
    if is_of_boot(lane):
        return wait(None)

    def again(patience_s: float) -> bool:
        limit = _ALONE_S if len(lane.scope.lanes) == 1 else patience_s
        return wait(limit)

    return attempted(lane, code, Attempt(what, 0, functools.partial(wait, None), again))


def hooked_wait(wait: Callable[..., bool]) -> Callable[..., bool]:
    """Return an `Event.wait` that goes on in its turn, and comes in time or late as it did."""

    @functools.wraps(wait)
    def waiting(event: threading.Event, timeout: float | None = None) -> bool:
        code = called_from().f_code
        lane = _lane_of(code)
        if lane is None:
            return wait(event, timeout)

        def again(seconds: float | None) -> bool:
            came = wait(event, seconds)
            if not came and not is_of_boot(lane):
                event.set()  # other work of the process had: whoever looks sees that it is
            return came or event.is_set()

        if timeout is None:
            return _untimed(lane, "event", code, again)
        live = functools.partial(wait, event, timeout)
        return attempted(lane, code, Attempt("event", timeout, live, again))

    return lane_hook(wait, waiting)


def hooked_acquire(acquire: Callable[..., bool]) -> Callable[..., bool]:
    """Return a `Semaphore.acquire` that gets it in its turn, or does not get it, as it did."""

    @functools.wraps(acquire)
    def acquiring(
        semaphore: threading.Semaphore, blocking: bool = True, timeout: float | None = None
    ) -> bool:
        code = called_from().f_code
        lane = _lane_of(code)
        if lane is None:
            return acquire(semaphore, blocking, timeout)
        if blocking and timeout is None:
            return _untimed(lane, "semaphore", code, functools.partial(acquire, semaphore, True))
        live = functools.partial(acquire, semaphore, blocking, timeout)

        def again(seconds: float) -> bool:
            return acquire(semaphore, True, seconds)

        return attempted(lane, code, Attempt("semaphore", timeout or 0, live, again))

    return lane_hook(acquire, acquiring)


def hooked_join(join: Callable[..., None]) -> Callable[..., None]:
    """Return a `Thread.join` that sees the thread's end in time, or does not, as it did."""

    @functools.wraps(join)
    def joining(thread: threading.Thread, timeout: float | None = None) -> None:
        code = called_from().f_code
        lane = _lane_of(code) if timeout is not None else None
        if lane is None or timeout is None:
            return join(thread, timeout)

        def joined(seconds: float) -> bool:
            join(thread, seconds)
            return not thread.is_alive()

        live = functools.partial(joined, timeout)
        attempted(lane, code, Attempt("join", max(timeout, 0), live, joined))
        return None

    return lane_hook(join, joining)


def _hooked_future(look: Callable[..., Any]) -> Callable[..., Any]:
    """Return `result` or `exception` of a future, which it has in time as it had."""

    @functools.wraps(look)
    def looking(future: Future[Any], timeout: float | None = None) -> Any:
        if timeout is None:
            return look(future, timeout)
        code = called_from().f_code
        # `Executor.map` looks on behalf of who goes through what it gives.
        here: Any = current() if code.co_name == _MAPPED else _lane_of(code)
        lane: Lane | None = here if isinstance(here, Lane) else None
        if lane is None:
            return look(future, timeout)

        def is_done(seconds: float) -> bool:
            try:
                look(future, seconds)
            except CancelledError:
                return True
            except BaseException:  # of the work, or none in time
                return future.done()
            return True

        live = functools.partial(is_done, timeout)
        if not attempted(lane, code, Attempt("future", max(timeout, 0), live, is_done)):
            raise TimeoutError
        return look(future, 0)

    return lane_hook(look, looking)


hooked_result = hooked_exception = _hooked_future
_MAPPED = "_result_or_cancel"


def hooked_enter(enter: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a `Condition.__enter__` that takes its turn, as that of a lock does."""

    @functools.wraps(enter)
    def entering(condition: Any) -> Any:
        lane = _lane_of(code := called_from().f_code)
        if lane is None or is_of_boot(lane):
            return enter(condition)

        def again(patience_s: float) -> Any:
            return condition._lock.acquire(timeout=patient(patience_s))

        return in_turn(lane, "lock", code, functools.partial(enter, condition), again)

    return lane_hook(enter, entering)


def hooked_wait_condition(wait: Callable[..., bool]) -> Callable[..., bool]:
    """Return a `Condition.wait` that is notified in time or not as it was."""

    @functools.wraps(wait)
    def waiting(condition: Any, timeout: float | None = None) -> bool:
        frame = called_from()
        if frame.f_code is _WAIT_FOR and frame.f_back is not None:
            frame = frame.f_back
        lane = _lane_of(frame.f_code)
        if lane is None or not condition._is_owned():
            return wait(condition, timeout)
        if timeout is None:  # an event even of a single thread: another request's may notify
            return _untimed_condition(lane, condition, frame.f_code, wait)
        if lane.mode == REPLAY and not is_of_boot(lane):
            return _waited_again(lane, condition, timeout, turn_code=frame.f_code)
        live = functools.partial(wait, condition, timeout)
        again = functools.partial(wait, condition)
        got = attempted(lane, frame.f_code, Attempt("condition", max(timeout, 0), live, again))
        if not is_of_boot(lane):
            pass_in_turn(lane, "condition.lock", frame.f_code)
        return got

    return lane_hook(wait, waiting)


_WAIT_FOR = threading.Condition.wait_for.__code__


def _untimed_condition(
    lane: Lane, condition: Any, code: CodeType, wait: Callable[..., bool]
) -> bool:
    live = functools.partial(wait, condition)
    if is_of_boot(lane):
        return live()
    if lane.mode != REPLAY:
        return attempted(lane, code, Attempt("condition.lock", 0, live, live))
    waiter, saved = _given_back(condition)
    taken: list[bool] = []

    def take(limit_s: float) -> bool:
        waiter.acquire(timeout=limit_s)
        condition._acquire_restore(saved)
        taken.append(True)
        return True

    key = turn_key("condition.lock", code)
    try:
        got: bool = lane.scope.in_turn(lane, key, lambda: take(-1), lambda _: take(_ALONE_S))
    except BaseException:
        if not taken:
            condition._acquire_restore(saved)
        raise
    if waiter in condition._waiters:
        condition._waiters.remove(waiter)
    return got


def _given_back(condition: Any) -> tuple[Any, Any]:
    """Return what is notified, and what takes the lock again, which is given back."""
    waiter = threading.Lock()
    waiter.acquire()
    condition._waiters.append(waiter)
    return waiter, condition._release_save()


def _waited_again(lane: Lane, condition: Any, timeout: float, *, turn_code: Any) -> bool:
    """Wait for a condition on replay, with its lock given back meanwhile."""
    waiter, saved = _given_back(condition)
    alone = len(lane.scope.lanes) == 1

    def live() -> bool:
        return bool(waiter.acquire(timeout=max(timeout, 0)))

    def again(_: float) -> bool:
        waiter.acquire(timeout=_ALONE_S if alone else _BRIEF_S)
        return True

    def take(*_: object) -> bool:
        condition._acquire_restore(saved)
        return True

    try:
        got: bool = lane.scope.in_turn(lane, turn_key("condition", turn_code), live, again)
    except BaseException:
        take()
        raise
    lane.scope.in_turn(lane, turn_key("condition.lock", turn_code), take, take)
    if waiter in condition._waiters:
        condition._waiters.remove(waiter)
    return got
