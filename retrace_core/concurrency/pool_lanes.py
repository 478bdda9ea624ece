"""Pool lanes: what a request gives to a `multiprocessing.pool.ThreadPool` has lanes of its own.

The pool's threads are nobody's: they may outlive the request that made them, and work for others.
A call is a child of the lane that makes it, in which what it goes through is asked for; each of
its tasks is a child of that, and so are the functions which are called back for it.
"""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any

from retrace_core.concurrency.carrying import carry
from retrace_core.concurrency.ordering import pass_in_turn
from retrace_core.lanes import Lane, mask
from retrace_core.native import LANE, REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.pool import ThreadPool

    Task = tuple[int, int, Callable[..., Any], tuple[Any, ...], dict[str, Any]]

__all__ = ["abandon_tasks", "initializer_in_lanes", "take_tasks"]

_WORKS = "_retrace_works"
"""Attribute of a result: its tasks that are not yet delivered, by their places."""


def take_tasks(pool: ThreadPool) -> None:
    """Have what is given to a pool from now on run in lanes, where it is given in one."""
    queue: Any = vars(pool).get("_taskqueue")
    if queue is not None and not isinstance(queue, _TaskQueue):
        vars(pool)["_taskqueue"] = _TaskQueue(queue, pool)


def abandon_tasks(pool: ThreadPool) -> None:
    """End the lanes of tasks that nobody will deliver: the pool was terminated."""
    for result in list(vars(pool)["_cache"].values()):
        for work in list(getattr(result, _WORKS, {}).values()):
            work.abandon()


def initializer_in_lanes(initializer: Callable[..., Any]) -> Callable[..., Any]:
    """Return what the pool's threads call first, such that each does it in a lane of its own."""
    lane = current()
    if not isinstance(lane, Lane):
        return initializer
    numbers, above = threading.Lock(), lane.spawn()

    @functools.wraps(initializer)
    def initializing(*args: Any) -> None:
        with numbers:
            child = above.spawn()
        try:
            carry(above, child, initializer)(*args)
        finally:
            child.end()

    above.end()
    return initializing


class _TaskQueue:
    """Stands for the queue in which a pool's methods put what is to be done."""

    def __init__(self, queue: Any, pool: ThreadPool) -> None:
        self._queue = queue
        self._results: dict[int, Any] = vars(pool)["_cache"]

    def put(self, item: Any) -> None:
        """Put the tasks of a call, and what is told their number."""
        lane = current()
        if isinstance(lane, Lane) and item is not None:
            tasks, tell = item
            if isinstance(tasks, list):
                tasks = [self._in_lane(task, lane, lane) for task in tasks]
            else:
                tasks = self._in_lanes(tasks, lane, lane.spawn())
            item = (tasks, tell)
        with mask():
            self._queue.put(item)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    def _in_lanes(self, tasks: Iterator[Task], parent: Lane, lane: Lane) -> Iterator[Task]:
        """Go through tasks, in a lane, on the thread that hands them out."""
        try:
            while True:
                token = LANE.set(lane)
                try:
                    task = self._in_lane(next(tasks), parent, lane)
                except StopIteration:
                    return
                finally:
                    LANE.reset(token)
                yield task
        finally:
            _end_in_turn(lane)

    def _in_lane(self, task: Task, parent: Lane, above: Lane) -> Task:
        job, place, function, args, options = task
        work = _Work(parent, above.spawn(), function)
        result = self._results.get(job)
        if result is None:  # terminated meanwhile
            work.abandon()
        else:
            _works_of(result)[place] = work
        return job, place, work, args, options


class _Work:
    """A task, from when it is given until its outcome was delivered."""

    __slots__ = ("_abandoned", "_function", "_lock", "_runs", "lane")

    def __init__(self, parent: Lane, lane: Lane, function: Callable[..., Any]) -> None:
        self.lane = lane
        self._function = carry(parent, lane, function, ends=False)
        self._lock = threading.Lock()
        self._runs = self._abandoned = False

    def __call__(self, *args: Any, **options: Any) -> Any:
        with self._lock:
            self._runs = True
        try:
            return self._function(*args, **options)
        finally:
            with self._lock:
                self._runs = False
                over = self._abandoned
            if over:
                self.lane.end()

    def abandon(self) -> None:
        """Its outcome will reach nobody: its lane ends as soon as it does not run."""
        with self._lock:
            self._abandoned = True
            runs = self._runs
        if not runs:
            self.lane.end()

    def deliver(self, do: Callable[[], None]) -> None:
        """Have its outcome reach who waits for it; on replay when its turn has come.

        The thread that does it hands out outcomes one by one as they come, so that others need
        threads of their own there to overtake one whose turn comes later.
        """
        if self.lane.mode == REPLAY:
            thread = threading.Thread(target=self._delivering, args=(do,), daemon=True)
            with mask():
                thread.start()
        else:
            self._delivering(do)

    def _delivering(self, do: Callable[[], None]) -> None:
        token = LANE.set(self.lane)
        try:
            pass_in_turn(self.lane, "deliver")
            do()
        finally:
            LANE.reset(token)
            _end_in_turn(self.lane)


def _end_in_turn(lane: Lane) -> None:
    if lane.mode == REPLAY:
        lane.scope.lane_ending(lane)
    lane.end()


def _works_of(result: Any) -> dict[int, _Work]:
    """Return a result's tasks; what is set for one goes by its lane from then on."""
    works: dict[int, _Work] | None = vars(result).get(_WORKS)
    if works is None:
        works, set_one = {}, result._set
        vars(result)[_WORKS] = works

        def setting(place: int, outcome: Any) -> None:
            work = works.pop(place, None)
            do = functools.partial(set_one, place, outcome)
            do() if work is None else work.deliver(do)

        vars(result)["_set"] = setting
    return works
