"""Loop steps: how far the event loop had got between one answer and the next.

The order of the answers alone does not say what else ran between two of them: a task that the
first one woke, or not yet. So it is kept how many steps of the loop lay between, unless it had
nothing else to do in the meantime; then all that was ready had run.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrace_core.lanes import Lane

__all__ = ["FAR", "LoopSteps", "answered"]

FAR = 32
"""As many steps or more are as good as an idle loop."""
_IDLE = 1 << 20
_BLIND = 3  # steps looked at on a loop that does not show what is ready, as uvloop's


class LoopSteps:
    """Between which answers of one recording the loop was not idle."""

    __slots__ = ("_clock", "_count", "_seq", "gaps")

    def __init__(self) -> None:
        self.gaps: list[tuple[int, int, int]] = []
        """(number of an answer, number of the next one, steps between them: 0 for the same)."""
        self._clock: _StepClock | None = None
        self._count = 0
        self._seq = 0

    def note(self, seq: int) -> None:
        """Take note that a task goes on with the answer of that number."""
        loop = asyncio._get_running_loop()
        if loop is None:
            return
        clock = _clock_of(loop)
        count = clock.now()
        between = count - self._count
        if clock is self._clock and between < FAR and self._seq < seq:
            self.gaps.append((self._seq, seq, between))
        self._clock, self._count, self._seq = clock, count, seq


def answered(lane: Lane, seq: int) -> None:
    """Take note that the task of a recording's lane goes on with an answer."""
    steps = lane.scope.steps
    if steps is not None and seq:
        steps.note(seq)


class _StepClock:
    """Counts a loop's steps, from each time that it is asked until nothing else is ready."""

    __slots__ = ("_context", "_count", "_left", "_loop", "_ready", "_ticks")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready: Any = getattr(loop, "_ready", None)
        self._count = 0
        self._left = 0
        self._ticks = False
        self._context = contextvars.Context()  # empty: it keeps nobody's request alive

    def now(self) -> int:
        if not self._ticks:
            self._ticks = True
            self._loop.call_soon(self._tick, context=self._context)
        self._left = _BLIND if self._ready is None else FAR
        return self._count

    def _tick(self) -> None:
        self._left -= 1
        if self._left > 0 and (self._ready is None or self._ready):
            self._count += 1
            self._loop.call_soon(self._tick, context=self._context)
        else:
            self._ticks = False
            self._count += _IDLE


_here = threading.local()


def _clock_of(loop: asyncio.AbstractEventLoop) -> _StepClock:
    clock: _StepClock | None = getattr(_here, "clock", None)
    if clock is None or clock._loop is not loop:
        clock = _here.clock = _StepClock(loop)
    return clock
