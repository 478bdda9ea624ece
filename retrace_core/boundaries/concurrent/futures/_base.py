"""`as_completed` and `wait`: which futures were done when the code went on, and in which order.

A future is done before its thread says so, and several may be done at once: the order in which
they are given can't be told from when their threads ended. So it is an event.

Hook: the code objects of both functions, and not module attributes, because they are imported
by name everywhere. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

from concurrent.futures import _base
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.code_hook import CodeHook, CodeHooks
from retrace_core.concurrency.spawn_order import by_spawn
from retrace_core.concurrency.timed_waits import hooked_exception, hooked_result
from retrace_core.lanes import Lane
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def _named(fs: Iterable[Any]) -> dict[str, Any]:
    """Return the futures by a name that is the same on replay: the lane of the work, mostly."""
    return {
        getattr(future, "retrace_lane", f"#{number}"): future for number, future in enumerate(fs)
    }


def _name_of(future: Any, futures: dict[str, Any]) -> str:
    return next(name for name, one in futures.items() if one is future)


def _ordered(live: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    def as_completed_in_scope(fs: Any, timeout: Any) -> Iterator[Any]:
        lane = current()
        if not isinstance(lane, Lane):
            yield from live(fs, timeout)
            return
        fs = list(dict.fromkeys(fs))
        futures = _named(fs)
        given = live(fs, timeout)
        left = dict(futures)

        def named(name: str) -> Any:
            if name in left:
                _WAIT.live([left[name]], None, _base.ALL_COMPLETED)
            else:  # at start-up, where lanes are numbered as it comes
                done = _WAIT.live(left.values(), None, _base.FIRST_COMPLETED).done
                name = next(one for one, future in left.items() if future in done)
            return left.pop(name)

        def name(future: Any) -> str:
            return _name_of(future, futures)

        try:
            for _ in fs:
                yield call(lane, "thread.completed", "", lambda: next(given), name, named)
        finally:
            given.close()  # type: ignore[attr-defined]  # a generator

    return as_completed_in_scope


def _waited(live: Callable[..., Any]) -> Any:
    def wait_in_scope(fs: Any, timeout: Any, return_when: Any) -> Any:
        lane = current()
        if not isinstance(lane, Lane):
            return live(fs, timeout, return_when)
        fs = list(dict.fromkeys(fs))
        futures = _named(fs)

        def names(found: Any) -> list[str]:
            return [name for name, future in futures.items() if future in found.done]

        def named(done: list[str]) -> Any:
            if not futures.keys() >= set(done):  # at start-up, where lanes are numbered as it comes
                return live(fs, timeout, return_when)
            chosen = {futures[name] for name in done}
            live(chosen, None, _base.ALL_COMPLETED)
            return _base.DoneAndNotDoneFutures(chosen, set(fs) - chosen)

        found = call(
            lane, "thread.waited", "", lambda: live(fs, timeout, return_when), names, named
        )
        return _base.DoneAndNotDoneFutures(by_spawn(found.done), by_spawn(found.not_done))

    return wait_in_scope


# Their code is what the functions run while hooked; the names are globals of _base.
def as_completed(fs: Any, timeout: Any = None) -> Any:
    """An iterator over the given futures that yields each as it completes."""
    yield from _retrace_as_completed(fs, timeout)  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore


def wait(fs: Any, timeout: Any = None, return_when: Any = "ALL_COMPLETED") -> Any:
    """Wait for the futures in the given sequence to complete."""
    return _retrace_wait(fs, timeout, return_when)  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore


_WAIT = CodeHook(_base, wait, _waited)
_CODES = CodeHooks(_WAIT, CodeHook(_base, as_completed, _ordered))


BOUNDARY = Boundary(
    kind="thread",
    supports="cpython>=3.11,<3.14",
    install=_CODES.install,
    remove=_CODES.remove,
    hooks=(
        Patch(_base.Future, "result", hooked_result),
        Patch(_base.Future, "exception", hooked_exception),
    ),
    errors=(_base.TimeoutError,),
)
