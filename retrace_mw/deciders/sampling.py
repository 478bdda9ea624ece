"""SampleRate: records a share of all traces, the same ones in every service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.errors import ConfigurationError
from retrace_mw.decision import Decision
from retrace_mw.propagation import RANDOM_BITS

if TYPE_CHECKING:
    from retrace_mw.request import RequestView

__all__ = ["SampleRate"]


class SampleRate:
    """Records a share of requests.

    The draw is the low 56 bits of the trace id, or `rv` of tracestate where that is given, so
    that of two services the one with the lower rate records a subset of what the other does.
    Source: W3C Trace Context level 2
    §random-trace-id-flag; OpenTelemetry's consistent probability sampling.

    Args:
        rate: from 0.0 (none) to 1.0 (all).

    Raises:
        ConfigurationError: the rate is no number from 0 to 1.
    """

    __slots__ = ("_no", "_threshold", "_yes", "rate")

    def __init__(self, rate: float) -> None:
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0.0 <= rate <= 1.0:
            raise ConfigurationError("sample_rate", rate, "a number from 0.0 to 1.0")
        self.rate = float(rate)
        self._threshold = round((1.0 - self.rate) * (1 << RANDOM_BITS))
        threshold = f"{self._threshold:014x}".rstrip("0") or "0"
        reason = f"drawn at rate {self.rate:g}"
        self._yes = Decision("yes", reason, "SampleRate", threshold=threshold)
        self._no = Decision("no", f"not drawn at rate {self.rate:g}", "SampleRate")

    def __repr__(self) -> str:
        return f"SampleRate({self.rate:g})"

    def __call__(self, request: RequestView) -> Decision:
        """Return yes when the trace's draw falls into the share."""
        if self._threshold == 1 << RANDOM_BITS:
            return self._no
        return self._yes if request.randomness >= self._threshold else self._no
