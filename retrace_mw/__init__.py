"""Retrace's middleware: decides, request by request, whether to record.

The files in the order of a request:

    middleware.py     RetraceMiddleware: ASGI or WSGI, by the callable that it wraps
    asgi.py           the ASGI side: messages in and out, when the response has ended
    wsgi.py           the WSGI side: input, start_response, iterable and its close()
    request.py        RequestView: what a decider may see, the same for ASGI and WSGI
    propagation.py    extract and inject: traceparent, X-Trace-ID
    decision.py       Decision, the Decider protocol, any_of, all_of, first_of
    deciders/         sampling, trace header, always, never
    opening.py        from a yes to an open recording scope
"""

from __future__ import annotations

from retrace_mw.decision import Decider, Decision, all_of, any_of, first_of
from retrace_mw.middleware import RetraceMiddleware
from retrace_mw.opening import install_early
from retrace_mw.request import RequestView

__all__ = [
    "Decider",
    "Decision",
    "RequestView",
    "RetraceMiddleware",
    "all_of",
    "any_of",
    "first_of",
]

install_early()
