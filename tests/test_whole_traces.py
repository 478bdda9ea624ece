"""Sampling over services: the same traces everywhere, and none of them torn."""

from __future__ import annotations

import logging
import math
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import flask
import pytest
import requests
import urllib3
import uvicorn
from fastapi import FastAPI
from werkzeug.serving import make_server
from werkzeug.test import Client

from retrace_core import ConfigurationError, ids, stats, writer
from retrace_mw import Limits, RequestView, RetraceMiddleware
from retrace_mw.deciders import Always, Never, SampleRate, TraceHeader, UpstreamDecision
from tests.http_origin import origin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def view(**headers: str) -> RequestView:
    """Return a request with these headers, underscores for dashes."""
    carried = [(name.replace("_", "-").encode(), v.encode()) for name, v in headers.items()]
    return RequestView({"headers": carried}, asgi=True)


@pytest.mark.parametrize("kind", ["fresh", "W3C", "64 bits", "load balancer's", "named"])
def test_the_rate_holds_and_the_lower_ones_traces_are_among_the_higher_ones(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100,000 traces of each kind: within 3 sigma, and the set at 0.1 inside the set at 0.3."""
    low, high = SampleRate(0.1), SampleRate(0.3)
    count, drawn = (100_000 if kind == "fresh" else 20_000), [0, 0]
    seeded = random.Random(kind)  # the same draws in each run: 3 sigma are left once in 370
    monkeypatch.setattr(ids, "_random", seeded)
    for number in range(count):
        request = view()
        bits = request.trace.bits
        if kind == "W3C":
            request = view(traceparent=f"00-{bits:032x}-00f067aa0ba902b7-00")
        elif kind == "64 bits":
            request = view(traceparent=f"00-{bits >> 64:032x}-00f067aa0ba902b7-01")
        elif kind == "load balancer's":
            request = view(x_trace_id=f"1-5759e988-{bits >> 32:024x}")
        elif kind == "named":
            request = view(x_trace_id=f"order-{number}-{bits:x}")
        first, second = low(request).verdict == "yes", high(request).verdict == "yes"
        assert second or not first
        drawn = [drawn[0] + first, drawn[1] + second]
    for found, rate in zip(drawn, (0.1, 0.3), strict=True):
        assert abs(found - count * rate) < 3 * math.sqrt(count * rate * (1 - rate))


@contextmanager
def serving_asgi(app: Any) -> Iterator[str]:
    """Yield the address of an ASGI application under uvicorn, in a thread."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="error", lifespan="off", ws="none"
    )
    server = uvicorn.Server(config)
    sockets = [config.bind_socket()]
    sockets[0].listen(64)  # so that nobody is refused before the server is up

    def run() -> None:
        try:
            server.run(sockets=sockets)
        finally:
            sockets[0].close()  # so that nobody waits for a server that has failed

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


@contextmanager
def serving_wsgi(app: Any) -> Iterator[str]:
    """Yield the address of a WSGI application under werkzeug's threaded server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(20)
        server.server_close()


def test_of_1000_concurrent_traces_each_recorded_one_is_whole(recordings: Path) -> None:
    """Flask calls FastAPI, both at 0.2: both record a trace, or neither does."""
    back = FastAPI()

    @back.get("/price")
    async def price() -> dict[str, int]:
        return {"cents": 100}

    back.add_middleware(RetraceMiddleware, service="back", sample_rate=0.2)
    with serving_asgi(back) as url, urllib3.PoolManager(maxsize=16, block=True) as pool:
        front = flask.Flask("front")

        @front.get("/")
        def order() -> Any:
            return pool.request("GET", f"{url}/price").json()

        front.wsgi_app = RetraceMiddleware(  # type: ignore[method-assign]
            front.wsgi_app, service="front", sample_rate=0.2
        )
        with serving_wsgi(front) as address, ThreadPoolExecutor(16) as threads:

            def ask(_: int) -> int:
                with urllib3.HTTPConnectionPool(address.removeprefix("http://")) as one:
                    return one.request("GET", "/").status

            assert set(threads.map(ask, range(1000))) == {200}
    assert writer.flush(20)
    traces = {folder: {one.name for one in folder.iterdir()} for folder in recordings.iterdir()}
    assert set(map(frozenset, traces.values())) == {frozenset({"front", "back"})}
    assert abs(len(traces) - 200) < 4 * math.sqrt(1000 * 0.2 * 0.8)


def test_the_callers_decision_is_followed() -> None:
    """Yes, no, provisionally; and without one `otherwise` decides."""
    decide = UpstreamDecision()
    told = [decide(view(x_retrace=said)).verdict for said in ("yes", "no", "tail", "perhaps")]
    assert told == ["yes", "no", "tail", "no"]
    assert UpstreamDecision(Always())(view()).decider == "Always"
    assert UpstreamDecision(Always())(view(x_retrace="no")).verdict == "no"
    assert decide(view(traceparent=PARENT, tracestate="retrace=yes")).verdict == "yes"
    assert repr(UpstreamDecision(Never(), per_s=5)) == "UpstreamDecision(Never(), per_s=5)"


def test_the_usual_rate_leaves_out_what_the_caller_does_not_record() -> None:
    """So that no trace is torn; a rate that the user has set is meant as it is."""
    asked = [view(x_retrace=said) for said in ("no", "tail", "yes", "perhaps")]
    usual, own = SampleRate(1.0, heed_no=True), SampleRate(1.0)
    assert [usual(one).verdict for one in asked] == ["no", "yes", "yes", "yes"]
    assert {own(one).verdict for one in asked} == {"yes"}
    assert usual(view(x_retrace="no")).reason == "drawn, but the caller does not record it"
    by_method = SampleRate(0.0, by="method", rates={"": 1.0}, heed_no=True)
    assert [by_method(one).verdict for one in asked[:2]] == ["no", "yes"]


def test_a_forged_decision_has_a_limit() -> None:
    """More than its share per second is refused and counted."""
    decide = UpstreamDecision(per_s=1, clock=lambda: 0.0)
    before = stats().get("suppressed.upstream", 0)
    verdicts = [decide(view(x_retrace=said)).verdict for said in ("yes", "tail", "yes", "no")]
    assert verdicts == ["yes", "tail", "no", "no"]
    assert stats()["suppressed.upstream"] == before + 1


@pytest.mark.parametrize("options", [{"per_s": -1}, {"per_s": "many"}, {"otherwise": "Always()"}])
def test_a_wrong_upstream_decision_is_refused_at_start(options: dict[str, Any]) -> None:
    """The message names the setting and what is allowed."""
    with pytest.raises(ConfigurationError, match=r"per_s=|otherwise="):
        UpstreamDecision(**options)


@pytest.mark.parametrize(
    ("said", "verdict"), [("", "yes"), ("yes", "yes"), ("no", "no"), ("tail", "no")]
)
def test_the_name_of_an_unrecorded_trace_asks_for_nothing(said: str, verdict: str) -> None:
    """X-Trace-ID that a limit upstream has turned down is a name, and no more."""
    headers = {"x_trace_id": "order-7"} | ({"x_retrace": said} if said else {})
    assert TraceHeader()(view(**headers)).verdict == verdict


def test_a_request_over_a_limit_hands_on_that_it_is_not_recorded(recordings: Path) -> None:
    """With its name, so that the traces stay whole, and can be found in logs."""
    got: list[dict[str, str]] = []
    with origin() as (url, _):

        def app(environ: Any, start_response: Any) -> list[bytes]:
            got.append(requests.get(url, timeout=5).json()["headers"])
            if environ["PATH_INFO"] == "/outer":
                threading.Thread(target=client.get, args=("/inner",), kwargs=named).start()
                assert inner_done.wait(10)
            else:
                inner_done.set()
            start_response("200 OK", [])
            return [b""]

        inner_done = threading.Event()
        named: Any = {"headers": {"X-Trace-ID": "order-7"}, "buffered": True}
        client = Client(RetraceMiddleware(app, service="front", limits=Limits(at_once=1)))
        client.get("/outer", **named)
    assert [one["X-Retrace"] for one in got] == ["yes", "no"]
    assert [one["X-Trace-ID"] for one in got] == ["order-7", "order-7"]


def test_a_generator_hands_on_its_trace_while_it_runs(recordings: Path) -> None:
    """A WSGI body is made after the application has returned; nothing stays behind."""
    got: list[dict[str, str]] = []
    with origin() as (url, _):

        def ask() -> None:
            got.append(requests.get(url, timeout=5).json()["headers"])

        def app(environ: Any, start_response: Any) -> Iterator[bytes]:
            start_response("200 OK", [])
            yield b"a"
            ask()
            yield b"b"

        answer = Client(RetraceMiddleware(app, sample_rate=0.0)).get("/", buffered=True)
        assert answer.data == b"ab"
        ask()
    assert [one.get("X-Retrace") for one in got] == ["no", None]


def test_it_can_be_switched_off(recordings: Path) -> None:
    """With `propagate_unrecorded` off an unrecorded request adds nothing to its calls."""
    with origin() as (url, _):

        def app(environ: Any, start_response: Any) -> list[bytes]:
            headers = requests.get(url, timeout=5).json()["headers"]
            start_response("200 OK", [])
            return [" ".join(headers).lower().encode()]

        client = Client(RetraceMiddleware(app, sample_rate=0.0, propagate_unrecorded=False))
        assert b"trace" not in client.get("/", buffered=True).data


@pytest.mark.parametrize("server_timing", [True, False])
def test_a_response_tells_its_trace_as_asked(recordings: Path, server_timing: bool) -> None:
    """Server-Timing and traceresponse by setting; what the application has set stays."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Server-Timing", "db;dur=3")])
        return [b""]

    client = Client(
        RetraceMiddleware(app, service="front", server_timing=server_timing, traceresponse=True)
    )
    headers = client.get("/", buffered=True).headers
    trace_id, span_id = headers["traceresponse"].split("-")[1:3]
    assert headers["X-Trace-ID"] == trace_id
    timings = headers.getlist("Server-Timing")
    assert timings[0] == "db;dur=3"
    assert len(timings) == 1 + server_timing
    assert not server_timing or f"{trace_id}-{span_id}" in timings[1]
