"""KeepIfSlowest: keeps the slowest share of each route's requests."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from retrace_core.errors import ConfigurationError
from retrace_mw.decision import Decision
from retrace_mw.finished import route_of
from retrace_mw.quantile import DurationRanks

if TYPE_CHECKING:
    from retrace_mw.finished import FinishedRequest
    from retrace_mw.request import RequestView

__all__ = ["KeepIfSlowest"]

_HALF = 10
"""How many of the slowest a half of the window is to hold."""


class KeepIfSlowest:
    """Records provisionally, and keeps a request that is among the slowest of its route.

    Durations that differ by less than 5 % count as equal, and equals are kept together or not
    at all: of a route whose requests all take the same time none is kept. A change of a
    route's speed is learnt within about 10 / share requests of it.

    Warm-up: of the first requests of a route, `warm_up` and at least 1 / share, none is kept;
    what is slow is not known yet. Each process learns for itself.

    Args:
        share: which share is kept at most, above 0 and below 1; default 0.01.
        warm_up: of how many requests of a route the durations are learnt first; default 100.
        routes: of how many routes durations are known; beyond it, the one not asked for
            longest is forgotten. 6 KiB each; default 256.

    Raises:
        ConfigurationError: an argument is not in its range.
    """

    __slots__ = ("_lock", "_no", "_ranks", "_tail", "routes", "share", "warm_up")

    def __init__(self, *, share: float = 0.01, warm_up: int = 100, routes: int = 256) -> None:
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
            raise ConfigurationError("share", share, "a number above 0 and below 1")
        for name, value in (("warm_up", warm_up), ("routes", routes)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigurationError(name, value, "a whole number from 1")
        self.share = float(share)
        self.warm_up = warm_up
        self.routes = routes
        self._lock = threading.RLock()
        self._ranks: OrderedDict[str, DurationRanks] = OrderedDict()
        said = f"among the slowest {share:.3%} of its route".replace(".000%", "%")
        self._tail = Decision("tail", f"kept if {said}", "KeepIfSlowest", self._keep)
        self._no = Decision("no", f"not {said}", "KeepIfSlowest", warms=True)

    def __repr__(self) -> str:
        return f"KeepIfSlowest(share={self.share!r}, warm_up={self.warm_up}, routes={self.routes})"

    def __call__(self, request: RequestView) -> Decision:
        """Return "tail"."""
        return self._tail

    def _keep(self, finished: FinishedRequest) -> Decision:
        route = route_of(finished)
        with self._lock:
            ranks = self._ranks.get(route)
            if ranks is None:
                window = max(math.ceil(_HALF / self.share), self.warm_up)
                ranks = self._ranks[route] = DurationRanks(window)
                if len(self._ranks) > self.routes:
                    self._ranks.popitem(last=False)
            else:
                self._ranks.move_to_end(route)
            warm = ranks.seen >= self.warm_up
            share = ranks.add(finished.duration_s)
        if not warm or share > self.share:
            return self._no
        reason = f"took {finished.duration_s:.3g} s, among the slowest {share:.2%} of {route}"
        return Decision("yes", reason, "KeepIfSlowest")
