"""Warming: of which requests the first ones in a process are recorded, whatever the rate.

What a service keeps in memory, it mostly makes when it is first asked for something of a kind: a
pool, a table read once, a template. Those requests are the warm-ups of all later recordings.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from retrace_core.forked import after_fork
from retrace_mw.limiter import route_of

if TYPE_CHECKING:
    from retrace_mw.request import RequestView

__all__ = ["Warming"]

_MOST_PATHS = 2000
"""So many paths are looked at as they come. Asking a router takes as long as routing does, so of
those that come after them only one in `_SELDOM` is."""
_SELDOM = 64
_MOST_MISSES = 16
"""After so many that nobody served, what has no route is looked at no more: scanners have names
without end."""

_all: weakref.WeakSet[Warming] = weakref.WeakSet()


class Warming:
    """Says of a request whether it is the first of its kind: its method and route.

    Args:
        most: how many are kept as warm-ups at most; 0 for none.
    """

    def __init__(self, most: int) -> None:
        self.open = most > 0
        """False: no further request is one; who has seen that need not ask."""
        self._most = most
        self._kept = 0
        self._missed = 0
        self._passed = 0
        self._paths: set[tuple[str, str]] = set()
        self._kinds: set[str] = set()
        _all.add(self)

    def is_first(self, request: RequestView) -> bool:
        """Return True once for each kind of request, while there is room."""
        path = (request.method, request.path)
        if path in self._paths:
            return False
        if len(self._paths) < _MOST_PATHS:
            self._paths.add(path)
        else:
            self._passed += 1
            if self._passed % _SELDOM:
                return False
        if self._missed >= _MOST_MISSES and not request.route:
            return False
        kind = route_of(request)
        if kind in self._kinds or len(self._kinds) >= _MOST_PATHS:
            return False
        self._kinds.add(kind)
        return True

    def ended(self, *, kept: bool) -> None:
        """Take note whether a first one is kept as a warm-up; others have its room if not."""
        self._kept += kept
        self._missed += not kept
        self.open = self._kept < self._most


def _after_fork() -> None:
    for warming in list(_all):  # a worker of a master that was warm is cold only in parts
        warming.__init__(warming._most)  # type: ignore[misc]


after_fork(_after_fork)
