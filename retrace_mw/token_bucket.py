"""TokenBucket: so many a second, and a few seconds' worth of them at once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from retrace_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TokenBucket", "checked_rate"]


def checked_rate(name: str, per_s: object) -> float:
    """Return a rate of things per second; raises ConfigurationError when it is none."""
    if isinstance(per_s, int | float) and not isinstance(per_s, bool) and 0 <= per_s < 1e9:
        return float(per_s)
    raise ConfigurationError(name, per_s, "a number per second, 0 or more")


class TokenBucket:
    """Lets through a rate of things; what was not used is saved up for a short while.

    Args:
        per_s: how many per second; 0 lets nothing through.
        burst_s: how many seconds' worth may be saved up; never less than one thing.
        clock: seconds that only grow, for tests.
    """

    __slots__ = ("_clock", "_lock", "_room", "_since", "_size", "per_s")

    def __init__(
        self, *, per_s: float, burst_s: float = 2.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.per_s = per_s
        self._size = max(1.0, per_s * burst_s) if per_s > 0 else 0.0
        self._clock = clock
        self._room = self._size
        self._since = clock()
        self._lock = threading.RLock()

    def take(self) -> bool:
        """Take one, and return True; False when there is none."""
        with self._lock:
            now = self._clock()
            self._room = min(self._size, self._room + (now - self._since) * self.per_s)
            self._since = now
            if self._room < 1.0:
                return False
            self._room -= 1.0
            return True

    def has_room(self) -> bool:
        """Return what `take` would return, and take nothing."""
        with self._lock:
            passed = self._clock() - self._since
            return min(self._size, self._room + passed * self.per_s) >= 1.0
