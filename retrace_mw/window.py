"""Windows: how much there was lately, as a whole and by key, in little memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["KeyedCap", "SlidingCount"]

_SLOTS = 12
_MOST_KEYS = 1000
_SMALL = 100


class SlidingCount:
    """A sum over about the last `span_s` seconds, kept in twelve slots; not thread-safe.

    Args:
        span_s: how long a count is remembered, in seconds; a twelfth less at times.
    """

    __slots__ = ("_amounts", "_last", "_slot_s", "total")

    def __init__(self, span_s: float) -> None:
        self._slot_s = span_s / _SLOTS
        self._amounts = [0] * _SLOTS
        self._last = 0
        self.total = 0
        """The sum, as of the last call of `add`."""

    def add(self, amount: int, now: float) -> int:
        """Add an amount at a time, forget what is too old, and return the sum.

        Args:
            amount: may be 0, to only forget.
            now: seconds that only grow.
        """
        slot = int(now / self._slot_s)
        if slot > self._last:
            self._forget_until(slot)
        if amount:
            self._amounts[self._last % _SLOTS] += amount
            self.total += amount
        return self.total

    def _forget_until(self, slot: int) -> None:
        for gone in range(max(self._last, slot - _SLOTS) + 1, slot + 1):
            self.total -= self._amounts[gone % _SLOTS]
            self._amounts[gone % _SLOTS] = 0
        self._last = slot


class KeyedCap:
    """At most so many of each key in `span_s` seconds; not thread-safe.

    It remembers the thousand keys that were used last; one that it has forgotten is new again.

    Args:
        most: how many of each key.
        span_s: in how many seconds, counted from the first of them.
    """

    __slots__ = ("_begun", "_peak", "_peak_until", "most", "span_s")

    def __init__(self, most: int, span_s: float) -> None:
        self.most = most
        self.span_s = span_s
        self._begun: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()
        self._peak, self._peak_until = 0, 0.0

    def __len__(self) -> int:
        return len(self._begun)

    def knows(self, key: Hashable) -> bool:
        """Return False for a key that was never added, or is forgotten."""
        return key in self._begun

    def has_room(self, key: Hashable, now: float) -> bool:
        """Return whether one more of a key is allowed now."""
        begun, count = self._begun.get(key, (now, 0))
        return count < self.most or now - begun >= self.span_s

    def is_far(self, more: int, now: float) -> bool:
        """Return True where no key can have reached its cap, so that nobody need ask for it.

        Never so for a small cap, which is to be kept to the letter.

        Args:
            more: how many there are whose key is told later.
            now: seconds that only grow.
        """
        peak = self._peak if now < self._peak_until else 0
        return self.most >= _SMALL and peak + more < self.most

    def add(self, key: Hashable, now: float) -> None:
        """Take note of one of a key."""
        begun, count = self._begun.pop(key, (now, 0))
        if now - begun >= self.span_s:
            begun, count = now, 0
        self._begun[key] = (begun, count + 1)
        if count >= self._peak or now >= self._peak_until:
            self._peak, self._peak_until = count + 1, begun + self.span_s
        if len(self._begun) > _MOST_KEYS:
            self._begun.popitem(last=False)
