"""TraceHeader: an X-Trace-ID means that the request was recorded upstream."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from retrace_core.stats import count
from retrace_mw.decision import Decision
from retrace_mw.token_bucket import TokenBucket, checked_rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_mw.request import RequestView

__all__ = ["TraceHeader"]


class TraceHeader:
    """Records a request that carries X-Trace-ID, up to a rate.

    So it does where a proxy has taken X-Trace-ID away and left the caller's decision: "yes" in
    X-Retrace, or in the member `retrace` of tracestate.

    Where the caller says as well that it does not record the trace itself (`X-Retrace: no`), or
    does so only provisionally ("tail"), its name alone is no reason.

    A header from outside may force recording only within a limit: whoever can send requests
    could otherwise fill the disk.

    Args:
        per_s: how many requests per second it may have recorded; twice as many at once.
        clock: seconds that only grow, for tests.

    Raises:
        ConfigurationError: the rate is no number from 0 on.
    """

    __slots__ = ("_bucket", "_no", "_over", "_unwanted", "_yes", "per_s")

    def __init__(
        self, *, per_s: float = 100.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.per_s = checked_rate("per_s", per_s)
        self._bucket = TokenBucket(per_s=per_s, clock=clock)
        self._yes = Decision("yes", "the request carries X-Trace-ID", "TraceHeader")
        self._no = Decision("no", "no X-Trace-ID", "TraceHeader")
        self._unwanted = Decision("no", "X-Trace-ID, but the caller does not ask", "TraceHeader")
        self._over = Decision("no", f"more than {per_s:g} X-Trace-ID per second", "TraceHeader")

    def __repr__(self) -> str:
        return f"TraceHeader(per_s={self.per_s!r})"

    def __call__(self, request: RequestView) -> Decision:
        """Return yes for a request with an X-Trace-ID while there is room."""
        if not request.trace_headers():  # most have none
            return self._no
        decision = self._asked(request)
        if decision is self._yes and not self._bucket.take():
            count("suppressed.trace_header")
            return self._over
        return decision

    def peek(self, request: RequestView) -> Decision:
        """Return what calling it would, and use up nothing of the rate."""
        decision = self._asked(request)
        return self._over if decision is self._yes and not self._bucket.has_room() else decision

    def _asked(self, request: RequestView) -> Decision:
        if not request.trace_headers():
            return self._no
        told = request.upstream
        if told in ("no", "tail"):  # the name of the trace, and no more than that
            return self._unwanted
        return self._yes if told or request.names_trace else self._no
