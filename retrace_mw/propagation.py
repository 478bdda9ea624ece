"""Propagation: the trace a request belongs to, out of its headers and into outgoing ones.

Where they disagree: X-Trace-ID names the folder and the recording, because it is what people
search for; `traceparent` gives the parent span. Source: W3C Trace Context, levels 1 and 2.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from retrace_core.ids import new_trace_bits, safe_folder, to_trace_id

if TYPE_CHECKING:
    from retrace_mw.request import RequestView

__all__ = ["TraceContext", "extract", "inject", "parse_traceparent"]

TRACE_HEADER = "X-Trace-ID"
_TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-.*)?",
    re.ASCII,
)
_GIVEN_LIMIT = 1024


@dataclass(slots=True)
class TraceContext:
    """The trace a request belongs to."""

    bits: int
    """The trace id as a number of 128 bits."""
    parent_span_id: str = ""
    """The caller's span id, 16 hex digits, or ""."""
    sampled: bool = True
    """The caller's sampled flag; passed on as it came."""
    folder: str = ""
    """An X-Trace-ID of another shape that is safe as a folder name, verbatim; else ""."""
    given: str = ""
    """An X-Trace-ID that is not safe as a folder name: kept as data; else ""."""
    named: bool = False
    """True when the request carries one X-Trace-ID, of whatever shape."""
    carried: bool = False
    """True when the trace id came with the request."""

    trace_id: str = field(init=False, default="")
    """The trace id, 32 lower-case hex digits."""

    def __post_init__(self) -> None:
        self.trace_id = f"{self.bits:032x}"


def extract(request: RequestView, bits: int | None = None) -> TraceContext:
    """Return the trace that a request belongs to; never raises, whatever the headers hold.

    In this order: X-Trace-ID, traceparent, the active OpenTelemetry span, a fresh trace id.

    Args:
        request: the request.
        bits: the fresh trace id, where one was drawn before.
    """
    named, parents = request.trace_headers()
    parsed = parse_traceparent(parents[0]) if len(parents) == 1 else None
    if named:
        parent_span_id, sampled = (parsed[1], parsed[2]) if parsed else ("", True)
        context = _from_trace_header(named)
        context.parent_span_id, context.sampled = parent_span_id, sampled
        return context
    if parsed is not None:
        return TraceContext(int(parsed[0], 16), parsed[1], parsed[2], carried=True)
    fresh = new_trace_bits() if bits is None else bits
    return _from_opentelemetry() or TraceContext(fresh)


def _from_trace_header(values: list[str]) -> TraceContext:
    value = values[0]
    if len(values) == 1 and safe_folder(value):
        lower = value.lower()
        trace_id = to_trace_id(lower if to_trace_id(lower) == lower else value)
        folder = "" if trace_id == lower else value
        return TraceContext(int(trace_id, 16), folder=folder, named=True, carried=True)
    given = ", ".join(values)[:_GIVEN_LIMIT]
    return TraceContext(new_trace_bits(), given=given, named=True)


def traced_elsewhere() -> bool:
    """Return True when OpenTelemetry is loaded, which may have named the trace already."""
    return "opentelemetry.trace" in sys.modules


def _from_opentelemetry() -> TraceContext | None:
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return TraceContext(
        context.trace_id, f"{context.span_id:016x}", bool(context.trace_flags & 1), carried=True
    )


def parse_traceparent(value: str) -> tuple[str, str, bool] | None:
    """Return (trace id, span id, sampled) of a traceparent header, or None when it is invalid.

    Source: W3C Trace Context §3.2.2: version ff is invalid, a version 00 has exactly four
    fields, later versions may have more, ids of only zeros are invalid.
    """
    match = _TRACEPARENT.fullmatch(value.strip(" \t"))
    if match is None or (match[1] == "00" and match[5]):
        return None
    return match[2], match[3], bool(int(match[4], 16) & 1)


def inject(context: TraceContext, span_id: str) -> tuple[tuple[str, str], ...]:
    """Return the headers to send with outgoing calls.

    Args:
        context: the trace of the request.
        span_id: this recording's own, 16 hex digits.
    """
    flags = "01" if context.sampled else "00"
    return (
        (TRACE_HEADER, context.folder or context.trace_id),
        ("traceparent", f"00-{context.trace_id}-{span_id}-{flags}"),
    )
