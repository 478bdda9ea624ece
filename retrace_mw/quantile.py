"""Quantile: which share of the durations seen lately was at least as long as one."""

from __future__ import annotations

import math
from array import array

__all__ = ["DurationRanks"]

_GROWTH = 1.05
_SHORTEST_S = 1e-5
_BUCKETS = 380
"""The last one begins at about 1,000 seconds: 1e-5 * 1.05 ** 378."""
_SCALE = 1.0 / math.log(_GROWTH)


class DurationRanks:
    """Counts durations in buckets that each are 5 % wider than the one before.

    So a duration is told from another that differs by more than 5 %, from 10 µs to about 1,000 s.
    What was seen is forgotten by halves: after `window` durations the counts of those before
    the last `window` go. It takes about 6 KiB, however many it sees. Not thread-safe.
    Source: the buckets are those of DDSketch (Masson, Rim, Lee: VLDB 2019), §2.

    Args:
        window: how many durations each half counts.
    """

    __slots__ = ("_counts", "_earlier", "_seen", "_seen_earlier", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self._counts = array("Q", bytes(8 * _BUCKETS))
        self._earlier = array("Q", bytes(8 * _BUCKETS))
        self._seen = 0
        self._seen_earlier = 0

    @property
    def seen(self) -> int:
        """How many durations are counted."""
        return self._seen + self._seen_earlier

    def add(self, duration_s: float) -> float:
        """Count a duration; return the share of all counted that were about as long or longer.

        The share includes the duration itself, so it is above 0.0; it is up to 1.0.
        """
        place = _bucket(duration_s)
        if self._seen >= self.window:
            self._earlier, self._counts = self._counts, array("Q", bytes(8 * _BUCKETS))
            self._seen_earlier, self._seen = self._seen, 0
        self._counts[place] += 1
        self._seen += 1
        as_long = sum(self._counts[place:]) + sum(self._earlier[place:])
        return as_long / self.seen


def _bucket(duration_s: float) -> int:
    if duration_s <= _SHORTEST_S:
        return 0
    return min(_BUCKETS - 1, 1 + int(math.log(duration_s / _SHORTEST_S) * _SCALE))
