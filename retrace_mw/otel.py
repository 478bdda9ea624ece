"""OpenTelemetry, where the application has loaded it: its span, its propagator, its attributes.

Nothing here imports it; what is not in `sys.modules` is not used.
Read in opentelemetry-api 1.45.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["active_span_context", "extract", "inject", "mark", "may_name_trace", "span_context_of"]

_DEFAULT = {"TraceContextTextMapPropagator", "W3CBaggagePropagator"}


def may_name_trace() -> bool:
    """Return True when OpenTelemetry may have named the trace already; quick when it has not.

    It is loaded more often than it is used: FastAPI imports it by itself.
    """
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return False
    return trace.get_current_span() is not trace.INVALID_SPAN or _propagator() is not None


def active_span_context() -> Any:
    """Return the context of the active span, or None."""
    trace: Any = sys.modules["opentelemetry.trace"]
    found = trace.get_current_span().get_span_context()
    return found if found.is_valid else None


def _propagator() -> Any:
    """Return the propagator that the user has set, or None for the one that is there anyway."""
    propagate: Any = sys.modules.get("opentelemetry.propagate")
    if propagate is None:
        return None
    found = propagate.get_global_textmap()
    global _judged
    judged, is_users = _judged
    if judged is not found:  # compared, not hashed: it may be any object
        is_users = _is_users(found)
        _judged = (found, is_users)
    return found if is_users else None


_judged: tuple[Any, bool] = (None, False)
"""The propagator that was looked at last, and whether it is the user's own."""


def _is_users(propagator: Any) -> bool:
    # Logfire puts one around the default one that warns of, or ignores, what it extracts.
    propagator = getattr(propagator, "wrapped", propagator)
    parts = getattr(propagator, "_propagators", (propagator,))
    return {type(part).__name__ for part in parts} != _DEFAULT


class _Getter:
    """How a propagator reads a request's headers."""

    def __init__(
        self, values: Callable[[str], list[str]], names: Callable[[], Iterable[str]]
    ) -> None:
        self._values = values
        self._names = names

    def get(self, carrier: object, key: str) -> list[str] | None:
        return self._values(key) or None

    def keys(self, carrier: object) -> list[str]:
        return [name.lower() for name in self._names()]


def extract(values: Callable[[str], list[str]], names: Callable[[], Iterable[str]]) -> Any:
    """Return what the user's propagator reads (an OpenTelemetry context), or None without one.

    Args:
        values: gives all values of a header.
        names: gives the names of all headers, in any case.
    """
    propagator = _propagator()
    if propagator is None:
        return None
    empty = sys.modules["opentelemetry.context"].Context()
    return propagator.extract(None, context=empty, getter=_Getter(values, names))


def span_context_of(context: Any) -> Any:
    """Return the valid span context in an OpenTelemetry context, or None."""
    if context is None:
        return None
    trace: Any = sys.modules["opentelemetry.trace"]
    found = trace.get_current_span(context).get_span_context()
    return found if found.is_valid else None


def inject(context: Any, trace_id: int, span_id: str, flags: int) -> Mapping[str, str]:
    """Return the headers that the user's propagator sends, for a span of ours.

    Args:
        context: what `extract` returned; its baggage goes on.
        trace_id: of 128 bits.
        span_id: 16 hex digits.
        flags: trace flags.
    """
    propagator = _propagator()
    if propagator is None:
        return {}
    trace: Any = sys.modules["opentelemetry.trace"]
    span = trace.NonRecordingSpan(
        trace.SpanContext(trace_id, int(span_id, 16), False, trace.TraceFlags(flags))
    )
    carrier: dict[str, str] = {}
    propagator.inject(carrier, context=trace.set_span_in_context(span, context))
    return carrier


def mark(recording: str, decision: str) -> None:
    """Give the active span the attributes by which one finds the recording, where there is one.

    Args:
        recording: "trace/service", or "" while it is not certain that it is kept.
        decision: why it is recorded.
    """
    if "opentelemetry.trace" not in sys.modules:
        return
    span: Any = sys.modules["opentelemetry.trace"].get_current_span()
    if span.is_recording():
        span.set_attribute("retrace.decision", decision)
        if recording:
            span.set_attribute("retrace.recording", recording)
