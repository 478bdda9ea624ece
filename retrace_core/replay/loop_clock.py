"""Loop clock: recorded readings of an event loop's clock, which time timers of the live loop.

An application that asks its event loop what time it is gets the recorded reading: so differences
come out as they were. Where it sets a timer by it (`loop.call_at`, `asyncio.timeout_at`), the loop
would compare it with its own clock of today, by which it had been over for long, or is days away.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wrapt import register_post_import_hook  # pyright: ignore[reportUnknownVariableType]

from retrace_core.exempt import is_for_caller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, ModuleType

__all__ = ["LoopTime", "as_read", "timers_by_live_clock"]

_LOOPS = {"asyncio.base_events": "BaseEventLoop", "uvloop": "Loop"}


class LoopTime(float):
    """A recorded reading, and what is reckoned from it.

    As a number it is what was recorded. Compared with a plain one, which in a replay only the loop
    itself has of its clock, it counts as a reading of the live clock.

    Args:
        recorded: seconds.
        live: what the live clock says at the same moment; plain numbers are added to both.
        times: how often the clock is in it: -1 for `1.0 - loop.time()`. With 0 it is a duration.
    """

    __slots__ = ("live", "times")

    live: float
    times: int

    def __new__(cls, recorded: float, live: float, times: int = 1) -> LoopTime:
        """Make one; a float is made whole."""
        made = super().__new__(cls, recorded)
        made.live = live
        made.times = times
        return made

    def __add__(self, other: float) -> float:  # noqa: D105
        live, times = _clock_in(other)
        return _made(float(self) + float(other), self.live + live, self.times + times)

    def __radd__(self, other: float) -> float:  # noqa: D105
        return _made(other + float(self), other + self.live, self.times)

    def __sub__(self, other: float) -> float:  # noqa: D105
        live, times = _clock_in(other)
        return _made(float(self) - float(other), self.live - live, self.times - times)

    def __rsub__(self, other: float) -> float:  # noqa: D105
        return _made(other - float(self), other - self.live, -self.times)

    def __neg__(self) -> float:  # noqa: D105
        return _made(-float(self), -self.live, -self.times)

    def __lt__(self, other: float) -> bool:  # noqa: D105
        mine, theirs = _comparable(self, other)
        return mine < theirs

    def __le__(self, other: float) -> bool:  # noqa: D105
        mine, theirs = _comparable(self, other)
        return mine <= theirs

    def __gt__(self, other: float) -> bool:  # noqa: D105
        mine, theirs = _comparable(self, other)
        return mine > theirs

    def __ge__(self, other: float) -> bool:  # noqa: D105
        mine, theirs = _comparable(self, other)
        return mine >= theirs

    def __reduce__(self) -> tuple[Any, ...]:
        """Be copied and pickled as the plain number that was recorded."""
        return float, (float(self),)


def _clock_in(number: float) -> tuple[float, int]:
    return (number.live, number.times) if isinstance(number, LoopTime) else (number, 0)


def _made(recorded: float, live: float, times: int) -> float:
    return LoopTime(recorded, live, times) if times else recorded


def _comparable(one: LoopTime, other: float) -> tuple[float, float]:
    if isinstance(other, LoopTime):
        return float(one), float(other)
    return one.live, other


def as_read(code: CodeType | None, answer: object) -> object:
    """Return a recorded answer as the code reads it; called with clocks that are not recorded."""
    if code is None or not isinstance(answer, float) or not is_for_caller(code):
        return answer
    return LoopTime(answer, time.monotonic())


@contextmanager
def timers_by_live_clock() -> Iterator[None]:
    """Have `call_at` of event loops understand recorded readings while the block runs."""
    put_back: list[tuple[Any, Any]] = []
    over = False

    def replace(module: ModuleType) -> None:
        if over:
            return
        owner = getattr(module, _LOOPS[module.__name__])
        put_back.append((owner, vars(owner).get("call_at")))
        owner.call_at = _by_live_clock(owner.call_at)

    for name in _LOOPS:
        if name in sys.modules:
            replace(sys.modules[name])
        else:
            register_post_import_hook(replace, name)
    try:
        yield
    finally:
        over = True
        for owner, own in put_back:
            if own is None:
                del owner.call_at
            else:
                owner.call_at = own


def _by_live_clock(call_at: Any) -> Any:
    def set_timer(loop: Any, when: float, *args: Any, **options: Any) -> Any:
        live = when.live if isinstance(when, LoopTime) else when
        return call_at(loop, live, *args, **options)

    return set_timer
