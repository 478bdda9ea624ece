"""Progress: how far what the start-up began in the background may get during a replay.

A thread that goes on after the first request had got somewhere when the replayed request came: as
far it gets before that is sent, and asks for no more than it had asked by then. What it wants to
know after that it waits for, till the replay's end. Where the request waits for such a thread,
it gets as far as it had got when the request was over.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Final

from retrace_core.native import now_ns
from retrace_core.replay.whereabouts import Whereabouts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retrace_core.lanes import Lane

__all__ = ["NEVER", "Progress"]

NEVER: Final = float("inf")
"""Until when something waits that no tape has the answer to."""

_LOOK_S = 0.02
_STALLED_NS = 250_000_000
"""A request that got no answer for so long may wait for the start-up's work."""
_STUCK_NS = 2_000_000_000
"""And for so long may wait for one that no tape has the answer for."""
_QUIET_NS = 300_000_000
"""Work that asked for nothing for so long waits itself, and not for us."""
_MOST_NS = 15_000_000_000
_START_NS = 3_000_000_000
"""Before the application has started up nobody is kept waiting for longer: it may wait for him."""


class Progress:
    """How far the lanes of the start-up may get."""

    def __init__(self) -> None:
        self.limit_ns = NEVER
        """Until when answers are given, Unix time in nanoseconds."""
        self.used: set[tuple[str, int]] = set()
        self.whereabouts = Whereabouts()
        self.foreground: set[Lane] = set()
        """Lanes in which the application starts up: nothing waits there."""
        self._limit_at_stall_ns = NEVER
        self._moved = threading.Condition()
        self._lanes: dict[Lane, int] = {}
        self._waiting: set[Lane] = set()
        self._asks_more: set[Lane] = set()
        self._still: dict[Lane, int] = {}
        self._tasks: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}
        self._served: Callable[[], int] | None = None
        self._seen = (0, 0)
        self._is_over = False

    def begun(self, lane: Lane) -> None:
        """Take note of a thread or task."""
        self._lanes[lane] = 0

    def served(self, lane: Lane) -> None:
        """Take note of an answer to one of them."""
        if lane in self._lanes:
            self._lanes[lane] += 1

    def holds(self, lane: Lane, root: Lane) -> bool:
        """Return True where what a lane asks may have to wait."""
        return lane is not root and lane not in self.foreground

    def allow(self, until_ns: float) -> None:
        """Let them get as far as they had got at a time, Unix time in nanoseconds."""
        self._limit_at_stall_ns = self.limit_ns = until_ns
        self._waiting.clear()  # each says so again where it waits on
        self._move()

    def request_comes(
        self, started_ns: int, ended_ns: int, served: Callable[[], int]
    ) -> Iterator[None]:
        """Let them get as far as they had got when a request came; yields as long as they go on.

        Args:
            started_ns: when it came, Unix time in nanoseconds.
            ended_ns: when it was over.
            served: says how many answers its replay has got so far.
        """
        self._served = None
        self.allow(float(started_ns))
        begun_ns = changed_ns = now_ns()
        before = sum(self._lanes.values())
        while self._go_on() and now_ns() - begun_ns < _MOST_NS:
            if (now := sum(self._lanes.values())) != before:
                before, changed_ns = now, now_ns()
            if now_ns() - changed_ns > _QUIET_NS:
                break
            yield
        self._still = dict(self._lanes)
        self._seen = (-1, now_ns())
        self._limit_at_stall_ns = float(ended_ns)
        self._served = served

    def _go_on(self) -> bool:
        """Return True while one of them neither waits, nor has ended, nor was found still."""
        return any(
            not lane.ended and lane not in self._waiting and self._still.get(lane) != count
            for lane, count in list(self._lanes.items())
            if lane not in self.foreground
        )

    def wait(self, lane: Lane, until_ns: float) -> bool:
        """Wait on a thread until an answer of some time may be given.

        Returns:
            False where the lane is to be kept waiting no more.

        Raises:
            SystemExit: the replay is over; it ends the thread, and no more.
        """
        return self._wait(lane, until_ns, lambda: False, None)

    def sleep(
        self, lane: Lane, seconds: float, is_over: Callable[[], bool], *, rests: bool = True
    ) -> None:
        """Sleep on a thread, at most until it is over.

        Args:
            lane: of the thread.
            seconds: how long, at most.
            is_over: says whether it is.
            rests: False where it goes on as soon as that has passed, and was recorded so.

        Raises:
            SystemExit: as `wait`.
        """
        self._wait(lane, NEVER, is_over, now_ns() + seconds * 1e9, rests=rests)
        if not rests or is_over():  # one that polls every millisecond gets nowhere by that
            self.served(lane)

    def _wait(
        self,
        lane: Lane,
        until_ns: float,
        is_over: Callable[[], bool],
        deadline_ns: float | None,
        *,
        rests: bool = True,
    ) -> bool:
        begun_ns = now_ns()
        if until_ns == NEVER and deadline_ns is None:
            self._asks_more.add(lane)
        try:
            with self._moved:
                limit_ns = self.limit_ns
                while until_ns > self.limit_ns and (
                    deadline_ns is not None or limit_ns == self.limit_ns
                ):
                    if self._is_over:
                        if asyncio._get_running_loop() is None:
                            raise SystemExit
                        return False  # the shutdown, which would wait for a thread so long
                    if is_over() or (deadline_ns is not None and now_ns() >= deadline_ns):
                        return True
                    if deadline_ns is None and self._is_stuck(begun_ns):
                        return False
                    self._look()
                    if rests:
                        self._waiting.add(lane)
                    self._moved.wait(_LOOK_S)
        finally:
            self._waiting.discard(lane)
        return True

    async def wait_async(self, lane: Lane, until_ns: float, *, calls: bool = False) -> bool:
        """Do what `wait` does in a task, which is left alone when the replay is over.

        Args:
            lane, until_ns: as for `wait`.
            calls: True where it waits for the answer to a call. One that is made when the replay
                is over goes on: a task that is cancelled may wait, shielded, until it has closed
                its connection, and the event loop for the task.
        """
        if calls and self._is_over:
            return False
        loop = asyncio.get_running_loop()
        begun_ns = now_ns()
        if until_ns == NEVER:
            self._asks_more.add(lane)
        try:
            limit_ns = self.limit_ns
            while until_ns > self.limit_ns and limit_ns == self.limit_ns:
                moved: asyncio.Future[None] = asyncio.Future(loop=loop)
                self._tasks[moved] = loop
                self._waiting.add(lane)
                hopes = until_ns <= self._limit_at_stall_ns or self._starts()
                await asyncio.wait([moved], timeout=_LOOK_S if hopes else None)
                self._tasks.pop(moved, None)
                if self._is_stuck(begun_ns):
                    return False
                self._look()
        finally:
            self._waiting.discard(lane)
        return True

    def _starts(self) -> bool:
        """Return True until the first request is sent."""
        return self._seen == (0, 0)

    def _is_stuck(self, begun_ns: int) -> bool:
        """Return True where the start-up, or the request, seems to wait for one that waits."""
        if self._starts():
            return now_ns() - begun_ns > _START_NS
        return self._served is not None and now_ns() - self._seen[1] > _STUCK_NS

    def _look(self) -> None:
        """Let all of them go on where the request has got no answer for some time."""
        if self._served is None:
            return
        served = self._served()
        if served != self._seen[0]:
            self._seen = (served, now_ns())
        elif now_ns() - self._seen[1] > _STALLED_NS and self.limit_ns < self._limit_at_stall_ns:
            self.limit_ns = self._limit_at_stall_ns
            self._move()

    def _move(self) -> None:
        with self._moved:
            self._moved.notify_all()
        for moved, loop in list(self._tasks.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(_done, moved)

    def notes(self) -> list[str]:
        """Return in words how many of them asked for more than they had asked by then."""
        if not self._asks_more:
            return []
        return [
            f"{len(self._asks_more)} threads or tasks of the start-up wait: what they ask next they"
            " had not asked when the tape was written"
        ]

    def finish(self) -> None:
        """End it, and what waits on threads."""
        self.shut_down()
        self._served = None

    def shut_down(self) -> None:
        """End what waits on threads: the application's shutdown, which comes now, joins them."""
        self._is_over = True
        self._move()


def _done(moved: asyncio.Future[Any]) -> None:
    if not moved.done():
        moved.set_result(None)
