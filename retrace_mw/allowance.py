"""Allowance: how many requests per second a header from outside may have recorded."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from retrace_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Allowance"]

_BURST_S = 2.0


class Allowance:
    """A token bucket: so many per second, twice as many at once.

    Args:
        per_s: requests per second.
        clock: seconds that only grow, for tests.

    Raises:
        ConfigurationError: the rate is negative or no number.
    """

    __slots__ = ("_clock", "_lock", "_room", "_since", "per_s")

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        if isinstance(per_s, bool) or not isinstance(per_s, int | float) or not per_s >= 0:
            raise ConfigurationError("per_s", per_s, "requests per second, 0 or more")
        self.per_s = per_s
        self._clock = clock
        self._room = per_s * _BURST_S
        self._since = clock()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one, and return True, while there is room."""
        with self._lock:
            now = self._clock()
            self._room = min(self.per_s * _BURST_S, self._room + (now - self._since) * self.per_s)
            self._since = now
            if self._room < 1.0:
                return False
            self._room -= 1.0
            return True
