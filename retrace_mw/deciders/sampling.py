"""SampleRate: records a share of all traces, the same ones in every service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.errors import ConfigurationError
from retrace_mw.decision import Decision
from retrace_mw.rates import Rates, checked_share, threshold_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retrace_mw.request import RequestView

__all__ = ["SampleRate"]


class SampleRate:
    """Records a share of requests, one for all, or by a value that the request has.

    The draw is the low 56 bits of the trace id, or `rv` of tracestate where that is given, so
    that of two services the one with the lower rate records a subset of what the other does.
    Source: W3C Trace Context level 2
    §random-trace-id-flag; OpenTelemetry's consistent probability sampling.

    Args:
        rate: from 0.0 (none) to 1.0 (all).
        by: where the value is that has a rate of its own: "header:x-tenant", "query:plan",
            "method", "host" or "route".
        rates: value -> rate; all other values have `rate`.
        heed_no: True leaves out what the caller says it does not record (`X-Retrace: no`), so
            that no trace is recorded in part where the caller's rate is lower, or a limit of
            the caller's has turned the trace down.

    Raises:
        ConfigurationError: a rate is no number from 0 to 1, or only one of `by` and `rates`
            is given.
    """

    __slots__ = (
        "_kept",
        "_never",
        "_no",
        "_rates",
        "_threshold",
        "_unwanted",
        "_yes",
        "by",
        "heed_no",
        "rate",
        "rates",
    )

    def __init__(
        self,
        rate: float,
        *,
        by: str = "",
        rates: Mapping[str, float] | None = None,
        heed_no: bool = False,
    ) -> None:
        if not isinstance(heed_no, bool):
            raise ConfigurationError("heed_no", heed_no, "True or False")
        self.rate = checked_share("sample_rate", rate)
        self.by = by
        found = Rates(self.rate, by, rates)
        self.rates = found.rates
        self._rates = found if by else None
        self._threshold = threshold_of(self.rate)
        of = f" by {by}" if by else ""
        self._kept = {rate: _drawn(rate, of) for rate in {self.rate, *found.rates.values()}}
        self._yes = self._kept[self.rate]
        undrawn = f"not drawn at rate {self.rate:g}{of}"
        self._never = Decision("no", undrawn, "SampleRate")
        self._no = Decision("no", undrawn, "SampleRate", warms=any(self._kept))
        self.heed_no = heed_no
        self._unwanted = Decision("no", "drawn, but the caller does not record it", "SampleRate")

    def __repr__(self) -> str:
        by = f", by={self.by!r}, rates={self.rates!r}" if self.by else ""
        heed = ", heed_no=True" if self.heed_no else ""
        return f"SampleRate({self.rate:g}{by}{heed})"

    def __call__(self, request: RequestView) -> Decision:
        """Return yes when the trace's draw falls into the share."""
        if self._rates is not None:
            if not self._rates.draws(request):
                return self._no if self._rates.of(request) else self._never
            drawn = self._kept[self._rates.of(request)]
        elif self.rate and request.randomness >= self._threshold:
            drawn = self._yes
        else:  # at a rate of 0 no trace id need be drawn
            return self._no
        return self._unwanted if self.heed_no and request.upstream == "no" else drawn


def _drawn(rate: float, of: str) -> Decision:
    threshold = f"{threshold_of(rate):014x}".rstrip("0") or "0"
    return Decision("yes", f"drawn at rate {rate:g}{of}", "SampleRate", threshold=threshold)
