"""Retrace's middleware: decides, request by request, whether to record.

The files in the order of a request:

    middleware.py     RetraceMiddleware: ASGI or WSGI, by the callable that it wraps
    asgi.py           the ASGI side: messages in and out, when the response has ended
    wsgi.py           the WSGI side: input, start_response, iterable and its close()
    policy.py         what is in force, made from the settings, replaced as a whole
    reload.py         tells when a file that settings come from has changed
    request.py        RequestView: what a decider may see, the same for ASGI and WSGI
    trace_headers.py  the names of the headers that carry a trace
    traceparent.py    the W3C's traceparent
    tracestate.py     the W3C's tracestate, with our member and OpenTelemetry's
    otel.py           OpenTelemetry's span, propagator and attributes, where it is loaded
    propagation.py    a trace out of its headers, and into outgoing ones
    carriers.py       inject and extract for what is no HTTP call
    decision.py       Decision, the Decider protocol, any_of, all_of, first_of
    allowance.py      how many requests a header from outside may have recorded
    deciders/         sampling, trace header, the caller's decision, always, never
    limits.py         what recording may cost, above all deciders
    opening.py        from a yes to an open recording scope
    late.py           deciding when the application knows who asks
    finished.py       what a tail decision may see of a request at its end
    pending.py        a recorded request on its way to its end: kept or dropped
    response_headers.py  how a client learns the name of the recording
    log_filter.py     the trace id in log records
"""

from __future__ import annotations

from retrace_mw.carriers import extract, inject
from retrace_mw.decision import Decider, Decision, all_of, any_of, first_of
from retrace_mw.finished import FinishedRequest
from retrace_mw.late import Late, LateDecisionMiddleware, decide_late
from retrace_mw.limits import Limits
from retrace_mw.log_filter import TraceIdFilter
from retrace_mw.middleware import RetraceMiddleware
from retrace_mw.opening import install_early
from retrace_mw.request import RequestView

__all__ = [
    "Decider",
    "Decision",
    "FinishedRequest",
    "Late",
    "LateDecisionMiddleware",
    "Limits",
    "RequestView",
    "RetraceMiddleware",
    "TraceIdFilter",
    "all_of",
    "any_of",
    "decide_late",
    "extract",
    "first_of",
    "inject",
]

install_early()
