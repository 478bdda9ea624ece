"""Giving way: a thread that computes in the background lets the others have the interpreter.

A thread that waits for the interpreter's lock gets it after 5 ms, unless its holder lets go of
it before; a request that meets the writer at work would be that much later.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from retrace_core.native import now_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["giving_way"]

_Item = TypeVar("_Item")
_HOLD_NS = 150_000
"""How long others may have to wait, in nanoseconds, where an item doesn't take longer."""
_PAUSE_S = 0.000_05
"""Any shorter, and this thread has the lock again before the other one wakes up."""
_sleep = time.sleep


def giving_way(items: Iterable[_Item]) -> Iterator[_Item]:
    """Yield the items, with a pause after those that were long in work."""
    begun_ns = now_ns()
    for item in items:
        yield item
        if now_ns() - begun_ns > _HOLD_NS:
            _sleep(_PAUSE_S)
            begun_ns = now_ns()
