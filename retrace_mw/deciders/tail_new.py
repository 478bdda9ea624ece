"""KeepIfNew: keeps what this process has not seen lately."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from retrace_core.errors import ConfigurationError
from retrace_core.native import now_ns
from retrace_mw.decision import Decision
from retrace_mw.finished import route_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_mw.finished import FinishedRequest
    from retrace_mw.request import RequestView

__all__ = ["KeepIfNew"]


class KeepIfNew:
    """Records provisionally, and keeps the first request of each kind.

    Its kind is its route, its status and its exception: the class, and the line that raised
    it. What goes on happening is not new; what was not seen for `window_s` is new again. A
    process has seen nothing when it starts, so one of each kind is kept then.

    Args:
        window_s: how long a kind is remembered after it was seen last, in seconds; default
            one hour.
        size: how many kinds are remembered; beyond it the one not seen for longest is
            forgotten, and would be new again. Default 1024.
        clock_ns: nanoseconds that only grow, for tests.

    Raises:
        ConfigurationError: an argument is not in its range.
    """

    __slots__ = ("_clock_ns", "_lock", "_no", "_seen_ns", "_tail", "size", "window_s")

    def __init__(
        self,
        *,
        window_s: float = 3600.0,
        size: int = 1024,
        clock_ns: Callable[[], int] = now_ns,
    ) -> None:
        if isinstance(window_s, bool) or not isinstance(window_s, int | float) or not window_s > 0:
            raise ConfigurationError("window_s", window_s, "a number of seconds above 0")
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ConfigurationError("size", size, "a whole number from 1")
        self.window_s = float(window_s)
        self.size = size
        self._clock_ns = clock_ns
        self._lock = threading.RLock()
        self._seen_ns: OrderedDict[tuple[str, int, str], int] = OrderedDict()
        self._tail = Decision("tail", "kept if it is of a new kind", "KeepIfNew", self._keep)
        self._no = Decision("no", "its kind was seen before", "KeepIfNew", warms=True)

    def __repr__(self) -> str:
        return f"KeepIfNew(window_s={self.window_s!r}, size={self.size})"

    def __call__(self, request: RequestView) -> Decision:
        """Return "tail"."""
        return self._tail

    def _keep(self, finished: FinishedRequest) -> Decision:
        identity = finished.failure_identity
        kind = (route_of(finished), finished.status, identity)
        now = self._clock_ns()
        with self._lock:
            before = self._seen_ns.get(kind)
            self._seen_ns[kind] = now
            self._seen_ns.move_to_end(kind)
            if len(self._seen_ns) > self.size:
                self._seen_ns.popitem(last=False)
        if before is not None and now - before <= self.window_s * 1e9:
            return self._no
        what = f"{kind[0]} with status {finished.status}" + (f", {identity}" if identity else "")
        return Decision("yes", f"new: {what}", "KeepIfNew")
