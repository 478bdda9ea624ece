"""Backoff: how long to wait before the next try, longer each time, and never all at once."""

from __future__ import annotations

import os
import random

from retrace_core.forked import after_fork

__all__ = ["Backoff"]

# Never the application's `random`: its next numbers must not depend on us.
_random = random.Random(os.urandom(16))  # noqa: S311
after_fork(lambda: _random.seed(os.urandom(16)))


class Backoff:
    """Doubles from one try to the next, up to a limit, each with half of it left to chance.

    Args:
        first_s: the first wait, in seconds.
        most_s: the longest.
    """

    def __init__(self, first_s: float = 0.5, most_s: float = 60.0) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self.tries = 0
        """How many in a row have failed."""

    def failed(self) -> float:
        """Take note of a try that failed; return how long to wait, in seconds."""
        whole = min(self._most_s, self._first_s * 2.0 ** min(self.tries, 30))
        self.tries += 1
        return whole * (0.5 + _random.random() / 2)

    def succeeded(self) -> None:
        """Begin anew."""
        self.tries = 0
