"""Rates: shares of all traces, the same ones in every service, by what a request is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError
from retrace_mw.propagation import RANDOM_BITS

if TYPE_CHECKING:
    from retrace_mw.request import RequestView

__all__ = ["Rates", "checked_share", "is_drawn", "threshold_of"]

_ALL = 1 << RANDOM_BITS
_BY = 'one of "header:NAME", "query:NAME", "method", "host" and "route"'


def checked_share(name: str, rate: object) -> float:
    """Return a rate from 0.0 to 1.0; raises ConfigurationError when it is none."""
    if isinstance(rate, int | float) and not isinstance(rate, bool) and 0.0 <= rate <= 1.0:
        return float(rate)
    raise ConfigurationError(name, rate, "a number from 0.0 to 1.0")


def threshold_of(rate: float) -> int:
    """Return the lowest draw of 56 bits that a rate records."""
    return round((1.0 - rate) * _ALL)


def is_drawn(request: RequestView, threshold: int) -> bool:
    """Return True when the 56 random bits of the trace reach a threshold.

    Source: W3C Trace Context level 2 §random-trace-id-flag; OpenTelemetry's consistent
    probability sampling.
    """
    if threshold == _ALL:
        return False  # a trace id need not be drawn for that
    return not threshold or request.randomness >= threshold


class Rates:
    """The rate of a request: one for all, or by a value of the request's.

    Args:
        rate: for all whose value has none of its own, from 0.0 to 1.0.
        by: where the value is: "header:x-tenant", "query:plan", "method", "host", "route".
        rates: value -> rate from 0.0 to 1.0.

    Raises:
        ConfigurationError: a rate is no number from 0 to 1, or only one of `by` and `rates`
            is given.
    """

    __slots__ = ("_thresholds", "_value", "by", "rate", "rates", "threshold")

    def __init__(self, rate: float, by: str = "", rates: Mapping[str, float] | None = None) -> None:
        self.rate = checked_share("rate", rate)
        self.by = by
        given: Any = {} if rates is None else rates
        if not isinstance(given, Mapping):
            raise ConfigurationError("rates", given, "a table of value = rate")
        self.rates = {str(key): checked_share(f"rates.{key}", v) for key, v in given.items()}
        if bool(by) != bool(self.rates):
            allowed = "`by` (where the value is) and `rates` (value = rate) together"
            raise ConfigurationError("by" if by else "rates", by or given, allowed)
        self.threshold = threshold_of(self.rate)
        self._thresholds = {key: threshold_of(one) for key, one in self.rates.items()}
        self._value = value_of(by) if by else None

    def draws(self, request: RequestView) -> bool:
        """Return True when the request's trace is in the share."""
        threshold = self.threshold
        if self._value is not None:
            threshold = self._thresholds.get(self._value(request), threshold)
        return is_drawn(request, threshold)

    def of(self, request: RequestView) -> float:
        """Return the rate of a request."""
        return self.rate if self._value is None else self.rates.get(self._value(request), self.rate)


def value_of(by: object) -> Callable[[RequestView], str]:
    """Return what reads a value of a request's; raises ConfigurationError."""
    source, _, name = by.partition(":") if isinstance(by, str) else ("", "", "")
    if source == "header" and name:
        return lambda request: request.header(name)
    if source == "query" and name:
        return lambda request: request.query.get(name, [""])[0]
    if source in ("method", "host", "route") and not name:
        return lambda request: str(getattr(request, source))
    raise ConfigurationError("by", by, _BY)
