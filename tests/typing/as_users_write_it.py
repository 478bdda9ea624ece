"""The public API as a typed user writes it; checked by mypy and pyright, and never run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, assert_type

from fastapi import FastAPI
from flask import Flask

import retrace_core
from retrace_core import (
    Boundary,
    ConfigurationError,
    Hook,
    Recording,
    ReplayResult,
    RetraceError,
    load,
    replay,
    stats,
)
from retrace_mw import Decider, Decision, RequestView, RetraceMiddleware, all_of, any_of, first_of
from retrace_mw.deciders import Always, Never, SampleRate, TraceHeader

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment


# One line for each framework.
api = FastAPI()
api.add_middleware(RetraceMiddleware)
api.add_middleware(RetraceMiddleware, service="pricing", sample_rate=0.1, decide=Always())

shop = Flask(__name__)
shop.wsgi_app = RetraceMiddleware(shop.wsgi_app)  # type: ignore[method-assign]


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A plain WSGI application."""
    start_response("200 OK", [])
    return [b""]


wrapped = RetraceMiddleware(application, enabled=True, recording_path="/var/lib/retrace")


# Deciders: a function is one.
def only_orders(request: RequestView) -> Decision:
    """Record what goes to /orders."""
    assert_type(request.path, str)
    assert_type(request.header("user-agent"), str)
    return Decision("yes" if request.path.startswith("/orders") else "no", "by path")


decide: Decider = any_of(TraceHeader(), all_of(only_orders, SampleRate(0.5)), first_of(Never()))
RetraceMiddleware(application, decide=decide)
RetraceMiddleware(application, decide=only_orders)


# Recordings and replays.
recording = load(Path("trace.bin"))
assert_type(recording, Recording)
assert_type(recording.header.trace_id, str)
result = replay(recording, application)
assert_type(result, ReplayResult)
assert_type(result.identical, bool)
assert_type(result.summary(), str)
replay("trace.bin", "shop:app", app_dir="src", allow_write=["/tmp/scratch"])
assert_type(stats(), dict[str, int])

try:
    retrace_core.load("nowhere.bin")
except ConfigurationError as error:
    assert_type(error.setting, str)
except RetraceError:
    pass


# A boundary of one's own.
class Client:
    """What a library offers."""

    def ask(self, question: str) -> str:
        """Return the answer."""
        return question


BOUNDARY = Boundary(
    kind="client",
    hooks=(Hook(owner=Client, name="ask", key=lambda client, question: question),),
    errors=(LookupError, "client"),
)
