"""Retrace's middleware: decides, request by request, whether to record.

The files in the order of a request:

    middleware.py     RetraceMiddleware: ASGI or WSGI, by the callable that it wraps
    asgi.py           the ASGI side: messages in and out, when the response has ended
    wsgi.py           the WSGI side: input, start_response, iterable and its close()
    wsgi_input.py     what the application reads of a body is kept, as it reads it
    task.py           a task that a worker runs, recorded as a request is
    celery.py         the workers of Celery
    rq.py             the workers of RQ
    policy.py         what is in force, made from the settings, replaced as a whole
    reload.py         tells when a file that settings come from has changed
    chosen_decider.py the one in force, from what code and settings say
    expression.py     a decider written as text
    request.py        RequestView: what a decider may see, the same for ASGI and WSGI
    route.py          the pattern that a framework's router knows a request by
    trace_headers.py  the names of the headers that carry a trace
    traceparent.py    the W3C's traceparent
    tracestate.py     the W3C's tracestate, with our member and OpenTelemetry's
    otel.py           OpenTelemetry's span, propagator and attributes, where it is loaded
    propagation.py    a trace out of its headers, and into outgoing ones
    carriers.py       inject and extract for what is no HTTP call
    one_decision.py   one alone, of a request that passes from one protocol into the other
    decision.py       Decision, the Decider protocol, any_of, all_of, first_of
    deciders/         by rate, by headers, by the caller, by flag, by the request's end
    rule.py           which requests a rule means, and what is done with them
    rates.py          shares of all traces, by what a request is
    glob.py           patterns in which "*" stands for any text
    statuses.py       which statuses a number, a class or a range means
    force_token.py    signed, for one service, for a while
    service_name.py   what a service is called that nobody gave a name
    explanation.py    which decider said what of a request, and why
    made_request.py   a request that nobody sent, to ask deciders about
    flag_context.py   whom a feature flag is evaluated for, and where a request tells it
    flag_decider.py   what deciders by feature flag share
    flag_rules.py     flags described in a file
    variation.py      what the value of a feature flag means for recording
    tally.py          how often each decider gave which verdict
    limits.py         what recording may cost, above all deciders
    limiter.py        keeps account of it, and says when it is enough
    token_bucket.py   so many a second
    window.py         how much there was lately, as a whole and by key
    disk_guard.py     stops before the disk is full
    overhead.py       pauses while recording costs too much CPU
    opening.py        from a yes to an open recording scope
    late.py           deciding when the application knows who asks
    tagging.py        tags of the running recording, to find it by
    metrics.py        what recording does, for OpenTelemetry and for Prometheus
    finished.py       what a tail decision may see of a request at its end
    quantile.py       which share of the durations seen lately was at least as long
    recorder_endpoint.py  saves the flight recorder when a webhook posts to it
    warming.py        which requests are recorded for what they leave in memory
    pending.py        a recorded request on its way to its end: kept or dropped
    response_headers.py  how a client learns the name of the recording
    log_filter.py     the trace id in log records
    zero_code.py      records applications that were not changed for it; site/ starts it
    served.py         takes those of no framework from the server that loads them
    embedded_uwsgi.py  records those that uWSGI loads, which has the interpreter in it
    other_servers.py  tells of those whose requests it can not record
    cli/              the commands explain, run and token
"""

from __future__ import annotations

from retrace_core.flight_recorder import save_recent
from retrace_core.keep_sharing import on_keep
from retrace_mw.carriers import extract, inject
from retrace_mw.decision import Decider, Decision, all_of, any_of, first_of
from retrace_mw.explanation import Explanation, explain
from retrace_mw.finished import FinishedRequest
from retrace_mw.late import Late, LateDecisionMiddleware, decide_late
from retrace_mw.limits import Limits
from retrace_mw.log_filter import TraceIdFilter
from retrace_mw.made_request import make_request
from retrace_mw.middleware import RetraceMiddleware
from retrace_mw.opening import install_early
from retrace_mw.recorder_endpoint import flight_recorder_endpoint
from retrace_mw.request import RequestView
from retrace_mw.tagging import tag

__all__ = [
    "Decider",
    "Decision",
    "Explanation",
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
    "explain",
    "extract",
    "first_of",
    "flight_recorder_endpoint",
    "inject",
    "make_request",
    "on_keep",
    "save_recent",
    "tag",
]

install_early()
