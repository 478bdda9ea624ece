"""joblib: what came of work that `Parallel` has other processes do is an event.

A replay starts no process. What is to be done is gone through, as joblib does, and told by the
name of its first function. Work of threads, and of one job, is done here, and is no event.

joblib goes through more than twice as much as there are workers on threads of its own: what an
iterable asks of the world there is not covered.

Hooks: of `Parallel` `__call__`, `__enter__` and `__exit__`. Read in joblib 1.3 to 1.6.
"""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any

from joblib.externals.loky.process_executor import TerminatedWorkerError  # pyright: ignore
from joblib.parallel import Parallel, SequentialBackend  # pyright: ignore

from retrace_core.boundary import Boundary, Patch, call, mask, record_error
from retrace_core.errors import LiveCallRefused
from retrace_core.native import LANE, REPLAY, current, now_ns
from retrace_core.programs.other_process import name_of_work, packed, unpacked
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retrace_core.native import Lane

_KIND = "joblib.parallel"


class _Given:
    """What is to be done, gone through in the lane of the request while it is on its thread."""

    def __init__(self, work: Any, lane: Lane) -> None:
        self._work, self._items = work, iter(work)
        self._lane, self._thread = lane, threading.get_ident()
        self.name = ""

    def __iter__(self) -> _Given:
        return self

    def __next__(self) -> Any:
        if threading.get_ident() != self._thread:
            return self._taken()
        token = LANE.set(self._lane)
        try:
            return self._taken()
        finally:
            LANE.reset(token)

    def _taken(self) -> Any:
        item = next(self._items)
        if not self.name:
            self.name = name_of_work(item[0])
        return item


class _Counted(_Given):
    """As that, of what has a length, which joblib says as it goes on."""

    def __len__(self) -> int:
        return len(self._work)


def _calling(work: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(work)
    def calling(parallel: Any, iterable: Any) -> Any:
        lane = current()
        if lane is None or not _uses_processes(parallel):
            return work(parallel, iterable)
        count = functools.partial(parallel._backend.effective_n_jobs, parallel.n_jobs)
        jobs = call(lane, "joblib.jobs", parallel.n_jobs, count)
        if jobs == 1:
            if lane.mode == REPLAY:
                parallel._backend = SequentialBackend(nesting_level=parallel._backend.nesting_level)
            return work(parallel, iterable)
        given = (_Counted if hasattr(iterable, "__len__") else _Given)(iterable, lane)
        if lane.mode == REPLAY:
            for _ in given:
                pass
            return _played(lane, parallel, given.name)
        start_ns = now_ns()
        try:
            with mask():
                output = work(parallel, given)
        except BaseException as error:
            record_error(lane, _KIND, given.name, error, start_ns)
            raise
        items = None if parallel.return_generator else packed(output)
        lane.record(_KIND, given.name, RETURNED, items, start_ns)
        return _items(output, given.name) if parallel.return_generator else output

    return calling


def _played(lane: Lane, parallel: Any, name: str) -> Any:
    answer = call(lane, _KIND, name, functools.partial(_refuse, name), None, unpacked)
    return _items(iter(()), name) if parallel.return_generator else answer


def _refuse(name: str) -> Any:
    raise LiveCallRefused(_KIND, name)


def _items(output: Any, name: str) -> Iterator[Any]:
    """Give what comes out item by item, each an event."""

    def following() -> list[Any]:
        for item in output:
            return [True, item]
        return [False, None]

    def told(given: list[Any]) -> list[Any]:
        return [given[0], packed(given[1])]

    def rebuilt(given: Any) -> list[Any]:
        return [given[0], unpacked(given[1])]

    try:
        while True:
            lane = current()
            if lane is None:
                is_one, item = following()
            else:
                is_one, item = call(lane, "joblib.item", name, following, told, rebuilt)
            if not is_one:
                return
            yield item
    finally:
        if hasattr(output, "close"):
            with mask():
                output.close()


def _uses_processes(parallel: Any) -> bool:
    return not getattr(parallel._backend, "supports_sharedmem", False)


def _entering(enter: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(enter)
    def entering(parallel: Any) -> Any:
        lane = current()
        if lane is None or not _uses_processes(parallel):
            return enter(parallel)
        if lane.mode == REPLAY:
            parallel._managed_backend, parallel._calling = True, False
            return parallel
        with mask():
            return enter(parallel)

    return entering


def _leaving(leave: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(leave)
    def leaving(parallel: Any, *error: Any) -> None:
        lane = current()
        if lane is None or not _uses_processes(parallel):
            leave(parallel, *error)
        elif lane.mode == REPLAY:
            parallel._managed_backend = False
        else:
            with mask():
                leave(parallel, *error)

    return leaving


BOUNDARY = Boundary(
    kind="joblib",
    supports="joblib>=1.3",
    hooks=(
        Patch(Parallel, "__call__", _calling),
        Patch(Parallel, "__enter__", _entering),
        Patch(Parallel, "__exit__", _leaving),
    ),
    errors=(TimeoutError, TerminatedWorkerError),
)
