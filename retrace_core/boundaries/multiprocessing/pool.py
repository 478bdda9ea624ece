"""multiprocessing.Pool: what came of the work that a request gives to one is an event.

A replay starts no process, and no thread that would feed them. Work is told by its function's name
and arguments; of what is gone through piece by piece (`imap`), by the name alone: another thread
asks for its pieces. `ThreadPool`, which is a `Pool` too, works in this process, in lanes.

Hooks: of `Pool` `__init__`, `apply_async`, `_map_async`, `imap`, `imap_unordered`, by which
`apply`, `map` and their kin come too, `terminate` and `join`; `get`, `wait`, `ready`, `successful`
of the result; `next` of the iterator. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import queue
from multiprocessing import pool as pools
from multiprocessing.context import TimeoutError as NotInTime
from multiprocessing.pool import RUN, ApplyResult, IMapIterator, Pool, ThreadPool
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call, in_replay, mask
from retrace_core.concurrency.pool_lanes import abandon_tasks, initializer_in_lanes, take_tasks
from retrace_core.native import REPLAY, current
from retrace_core.programs.other_process import name_of_work, packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WORK = "_retrace_work"
"""Attribute of a result: what is done."""
_CALLS = "_retrace_calls"
"""Attribute of a result on replay: what is called back, once."""
_PLAYED = "_retrace_played"
"""Attribute of a pool without processes."""


def _masked(do: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(do)
    def masked(pool: Any, *args: Any, **options: Any) -> Any:
        with mask():  # its processes are nobody's events
            return do(pool, *args, **options)

    return masked


def _terminating(terminate: Callable[..., None]) -> Callable[..., None]:
    live = _masked(terminate)

    @functools.wraps(terminate)
    def terminating(pool: Any) -> None:
        live(pool)
        if isinstance(pool, ThreadPool):
            abandon_tasks(pool)

    return terminating


def _making(init: Callable[..., None]) -> Callable[..., None]:
    live = _masked(init)

    @functools.wraps(init)
    def making(pool: Any, processes: int | None = None, *args: Any, **options: Any) -> None:
        if isinstance(pool, ThreadPool):
            _make_threads(live, pool, processes, *args, **options)
        elif in_replay():
            _play(pool, processes)
        else:
            live(pool, processes, *args, **options)

    return making


def _make_threads(
    make: Callable[..., None],
    pool: ThreadPool,
    processes: int | None,
    initializer: Callable[..., Any] | None = None,
    *args: Any,
    **options: Any,
) -> None:
    if initializer is not None:
        initializer = initializer_in_lanes(initializer)
    make(pool, processes, initializer, *args, **options)
    take_tasks(pool)


def _play(pool: Any, processes: int | None) -> None:
    """Make a pool that does nothing, and has what its methods look at."""
    done = SimpleNamespace(_state=RUN, join=lambda: None)
    vars(pool).update(
        {
            _PLAYED: True,
            "_pool": [],
            "_processes": processes or 1,
            "_cache": {},
            "_change_notifier": queue.SimpleQueue(),
            "_worker_handler": done,
            "_task_handler": done,
            "_result_handler": done,
            "_terminate": lambda: None,
            "_state": RUN,
        }
    )


def _giving(give: Callable[..., Any]) -> Callable[..., Any]:
    """Return `apply_async`, `_map_async` or an `imap` whose result is known by its work."""

    @functools.wraps(give)
    def giving(pool: Any, func: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        plays = hasattr(pool, _PLAYED) or (lane is not None and lane.mode == REPLAY)
        if isinstance(pool, ThreadPool):
            take_tasks(pool)  # it may be older than our hooks
            return give(pool, func, *args, **options)
        if lane is None and not plays:
            return give(pool, func, *args, **options)
        name, pieces = name_of_work(func), give.__name__.startswith("imap")
        if give.__name__ == "_map_async" and args and not hasattr(args[0], "__len__"):
            args = (list(args[0]), *args[1:])
        given = None if pieces else [_plain(args[0]) if args else []]
        work = [name, given]
        result: Any
        if not plays:
            with mask():
                result = give(pool, func, *args, **options)
        else:
            pool._check_running()
            result = object.__new__(IMapIterator if pieces else ApplyResult)
            setattr(result, _CALLS, _callbacks(give.__name__, args, options))
        if pieces and not isinstance(result, IMapIterator):
            return _in_pieces(result, work)
        setattr(result, _WORK, work)
        return result

    return giving


def _plain(given: Any) -> object:
    return [packed(one) for one in given] if isinstance(given, list | tuple) else packed(given)


def _in_pieces(chunks: Iterator[Any], work: object) -> Iterator[Any]:
    """Return what is gone through in chunks, each item an event."""
    items = object.__new__(IMapIterator)
    vars(items).update({_WORK: work, "_retrace_items": chunks})
    return items


def _callbacks(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> list[Any]:
    """Return what is called with the result, and with the error."""
    before = {"apply_async": 2, "_map_async": 3}.get(name)
    if before is None:
        return [None, None]
    given = [*args[before:], None, None][:2]
    return [options.get("callback", given[0]), options.get("error_callback", given[1])]


def _call_back(result: Any, place: int, value: object) -> None:
    calls, result.__dict__[_CALLS] = getattr(result, _CALLS, None), None
    if calls is not None and calls[place] is not None:
        calls[place](value)


def _looked(kind: str, look: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(look)
    def looking(result: Any, *args: Any, **options: Any) -> Any:
        lane, work = current(), getattr(result, _WORK, None)
        if lane is None or work is None:
            return look(result, *args, **options)

        def live() -> Any:
            if hasattr(result, "_retrace_items"):
                return next(result._retrace_items)
            return look(result, *args, **options)

        return call(lane, kind, work, live, packed, unpacked)

    return looking


def _got(get: Callable[..., Any]) -> Callable[..., Any]:
    looking = _looked("multiprocessing.result", get)

    @functools.wraps(get)
    def getting(result: Any, timeout: float | None = None) -> Any:
        try:
            value = looking(result, timeout)
        except NotInTime:
            raise
        except Exception as error:
            _call_back(result, 1, error)
            raise
        _call_back(result, 0, value)
        return value

    return getting


def _next(get: Callable[..., Any]) -> Callable[..., Any]:
    return _looked("multiprocessing.next", get)


BOUNDARY = Boundary(
    kind="multiprocessing",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(Pool, "__init__", _making),
        Patch(Pool, "terminate", _terminating),
        Patch(Pool, "join", _masked),
        *(
            Patch(Pool, name, _giving)
            for name in ("apply_async", "_map_async", "imap", "imap_unordered")
        ),
        Patch(ApplyResult, "get", _got),
        *(
            Patch(ApplyResult, name, functools.partial(_looked, f"multiprocessing.{name}"))
            for name in ("wait", "ready", "successful")
        ),
        Patch(IMapIterator, "next", _next),
        Patch(IMapIterator, "__next__", _next),
    ),
    errors=(NotInTime, vars(pools)["MaybeEncodingError"], vars(pools)["RemoteTraceback"]),
)
