"""UpstreamDecision: the caller's recording decision, where it told one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError
from retrace_core.stats import count
from retrace_mw.decision import Decision, awaits, checked_decider
from retrace_mw.explanation import Explanation, explain, not_asked
from retrace_mw.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_mw.decision import Decider
    from retrace_mw.request import RequestView

__all__ = ["UpstreamDecision"]


class UpstreamDecision:
    """Decides as the caller did, which `X-Retrace` or the member `retrace` of tracestate tell.

    "yes" records, up to a rate, since headers from outside may be forged; "no" does not;
    "tail" records provisionally, and what nobody else keeps is dropped. Where a caller told
    nothing, as at the edge, `otherwise` decides.

    Whoever can send `X-Retrace: no` is not recorded: behind the edge, let the proxy take the
    header off what comes from outside, or use this only in inner services.

    Args:
        otherwise: asked for requests without a decision; default: they are not recorded.
        per_s: how many requests per second the header may have recorded; twice as many at once.
        clock: seconds that only grow, for tests.

    Raises:
        ConfigurationError: the rate is negative, or `otherwise` is no decider.
    """

    __slots__ = ("_bucket", "_no", "_none", "_over", "_tail", "_yes", "otherwise", "per_s")

    def __init__(
        self,
        otherwise: Decider | None = None,
        *,
        per_s: float = 100.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if otherwise is not None and awaits(checked_decider("otherwise", otherwise)):
            allowed = "a decider that answers at once; put an async one beside it: any_of(...)"
            raise ConfigurationError("otherwise", otherwise, allowed)
        if isinstance(per_s, bool) or not isinstance(per_s, int | float) or not per_s >= 0:
            raise ConfigurationError("per_s", per_s, "requests per second, 0 or more")
        self.otherwise = otherwise
        self.per_s = per_s
        self._bucket = TokenBucket(per_s=per_s, clock=clock)
        name = "UpstreamDecision"
        self._yes = Decision("yes", "the caller records it", name)
        self._no = Decision("no", "the caller does not record it", name)
        self._tail = Decision("tail", "the caller decides at its end", name)
        self._over = Decision("no", f"more than {per_s:g} upstream decisions per second", name)
        self._none = Decision("no", "no decision of a caller", name)

    def __repr__(self) -> str:
        first = "" if self.otherwise is None else f"{self.otherwise!r}, "
        return f"UpstreamDecision({first}per_s={self.per_s:g})"

    def __call__(self, request: RequestView) -> Any:
        """Return the caller's decision, or what `otherwise` says."""
        told = request.upstream
        if told == "no":
            return self._no
        if told:
            if not self._bucket.take():
                count("suppressed.upstream")
                return self._over
            return self._yes if told == "yes" else self._tail
        return self._none if self.otherwise is None else self.otherwise(request)

    def explain(self, request: RequestView) -> Explanation:
        """Return what the caller told, and what `otherwise` says where it told nothing."""
        told = request.upstream
        if told == "no":
            decision = self._no
        elif told:
            room = self._bucket.has_room()
            decision = (self._yes if told == "yes" else self._tail) if room else self._over
        else:
            decision = self._none
        name, verdict = f"UpstreamDecision(per_s={self.per_s:g})", decision.verdict
        if self.otherwise is None:
            return Explanation(name, verdict, decision.reason)
        if told:
            return Explanation(name, verdict, decision.reason, (not_asked(self.otherwise),))
        other = explain(self.otherwise, request)
        reason = f"{decision.reason}: {other.reason}"
        return Explanation(name, other.verdict, reason, (other,))
