"""OverheadGuard: pauses recording while it costs more than its part of the process's CPU.

What recording costs can't be measured where it arises: two reads of a thread's CPU clock for
each event would cost more than the event. So it is put together of

- the CPU time of the writer's thread, measured (`time.thread_time`), and
- for each recorded request, the number of its events, and a constant for opening, closing
  and copying its bodies, each times what one event costs on this machine: that is measured
  once in the process, by a probe of a few hundred events.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

from retrace_core import native
from retrace_core.lanes import Lane
from retrace_core.native import RECORD, ScopeState
from retrace_core.stats import counter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OverheadGuard", "event_s"]

_WINDOW_S = 10.0
_LONGEST_PAUSE_S = 60.0
_SAVED_S = 60.0
"""Of so much CPU time the budget may be saved up: some dozen requests of somebody who tries a
service out, all recorded, are no sustained load."""
_IDLE = 0.02
"""Below this share of one core recording harms nobody, however idle the process is."""
_EVENT = 6.0
"""What a call with its hook costs, in probes (benchmarks/overhead.py); a clock read costs less."""
_REQUEST = 160.0
"""What a recorded request costs its thread apart from its events, in probes."""


class _Owner:
    outgoing_headers = ()

    def __init__(self) -> None:
        self.state = ScopeState(1 << 20)


@functools.cache
def event_s(turns: int = 300) -> float:
    """Return what it costs to keep one event on this machine, in seconds; measured once."""
    best = float("inf")
    for _ in range(3):
        lane = Lane(_Owner(), "0", RECORD)  # type: ignore[arg-type]
        start = native.now_ns()
        for number in range(turns):
            lane.record("probe", "SELECT 1", 0, (number, "a row", 1.5), start)
        best = min(best, (native.now_ns() - start) / turns / 1e9)
        lane.clear()
    return best


class OverheadGuard:
    """Adds up what recording costs, and says when it is too much; not thread-safe.

    Args:
        budget: the part of the process's CPU time that recording may take, from 0.0 to 1.0;
            0 for no limit.
        clock: seconds that only grow, for tests.
        process_s: CPU seconds of the process so far.
        writer_s: CPU seconds of the writer's thread so far.
        probe_s: what one event costs, in CPU seconds.
    """

    __slots__ = (
        "_begun",
        "_clock",
        "_events",
        "_paused_until",
        "_probe_s",
        "_process_s",
        "_process_was",
        "_requests",
        "_saved_s",
        "_writer_s",
        "_writer_was",
        "budget",
        "share",
    )

    def __init__(
        self,
        budget: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        process_s: Callable[[], float] = time.process_time,
        writer_s: Callable[[], float] = lambda: counter("writer_cpu_us") / 1e6,
        probe_s: Callable[[], float] = event_s,
    ) -> None:
        self.budget = budget
        self.share = 0.0
        """The part of the process's CPU that recording took in the last whole window."""
        self._clock = clock
        self._process_s = process_s
        self._writer_s = writer_s
        self._probe_s = probe_s
        self._paused_until = 0.0
        self._saved_s = budget * _SAVED_S
        self._begin(clock())

    def add(self, events: int) -> None:
        """Take note of a recorded request that has ended, and of its number of events."""
        self._requests += 1
        self._events += events

    def pauses(self) -> bool:
        """Return whether new recordings must wait; a pause ends by itself.

        It begins when what was saved up of the budget is spent, and lasts until, had nothing been
        recorded meanwhile, the budget would be kept again; at most a minute.
        """
        now = self._clock()
        if now < self._paused_until:
            return True
        if self._paused_until:
            self._paused_until = 0.0
            self._begin(now)
        elif now - self._begun >= _WINDOW_S:
            self._measure(now)
        return self._paused_until > 0.0

    def _begin(self, now: float) -> None:
        self._begun = now
        self._process_was = self._process_s()
        self._writer_was = self._writer_s()
        self._requests = self._events = 0

    def _measure(self, now: float) -> None:
        wall = now - self._begun
        process = max(1e-9, self._process_s() - self._process_was)
        writer = max(0.0, self._writer_s() - self._writer_was)
        spent = writer + (self._events * _EVENT + self._requests * _REQUEST) * self._probe_s()
        self.share = min(1.0, spent / process)
        allowed = self.budget * process
        saved = self._saved_s + allowed - spent
        self._saved_s = min(self.budget * _SAVED_S, max(0.0, saved))
        if self.budget and saved < 0.0 and spent > _IDLE * wall:
            self._paused_until = now + min(_LONGEST_PAUSE_S, wall * -saved / allowed)
        else:
            self._begin(now)
