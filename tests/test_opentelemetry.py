"""OpenTelemetry, the real SDK: its span's ids, its propagators, and attributes to jump by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests
from opentelemetry import baggage, propagate
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.b3 import B3MultiFormat, B3SingleFormat
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import TextMapPropagator, default_getter, default_setter
from opentelemetry.sdk.trace import TracerProvider
from werkzeug.test import Client

from retrace_core import load, writer
from retrace_mw import Decision, RetraceMiddleware, extract
from tests.http_origin import origin
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
B3_MULTI = {"X-B3-TraceId": TRACE, "X-B3-SpanId": SPAN, "X-B3-Sampled": "1"}


@pytest.fixture(params=["single", "multi"])
def b3(request: pytest.FixtureRequest) -> Iterator[str]:
    """Set a B3 propagator, with baggage, as the user's global one."""
    before = propagate.get_global_textmap()
    chosen = B3SingleFormat() if request.param == "single" else B3MultiFormat()
    propagate.set_global_textmap(CompositePropagator([chosen, W3CBaggagePropagator()]))
    yield request.param
    propagate.set_global_textmap(before)


def call(rate: float, headers: dict[str, str], **options: Any) -> tuple[Any, dict[str, str]]:
    """Send a request that makes one call; return the response's headers, and what went out."""
    got: dict[str, str] = {}
    with origin() as (url, _):

        def app(environ: Any, start_response: Any) -> list[bytes]:
            got.update(requests.get(url, timeout=5).json()["headers"])
            start_response("200 OK", [])
            return [b""]

        rated = {} if "decide" in options else {"sample_rate": rate}
        client = Client(RetraceMiddleware(app, service="front", **rated, **options))
        answer = client.get("/", headers=headers, buffered=True)
    return answer.headers, {name.lower(): value for name, value in got.items()}


@pytest.mark.parametrize("rate", [1.0, 0.0], ids=["recorded", "unrecorded"])
def test_b3_and_baggage_go_through_the_users_propagators(
    recordings: Path, b3: str, rate: float
) -> None:
    """The trace comes by B3, and goes on by it, with our span; so does the baggage."""
    single = {"b3": f"{TRACE}-{SPAN}-1"}
    incoming = single if b3 == "single" else B3_MULTI
    answer, got = call(rate, {**incoming, "baggage": "tenant=acme"})
    assert extract(got).trace_id == TRACE
    sent = got["b3"].split("-")[:2] if b3 == "single" else [got["x-b3-traceid"], got["x-b3-spanid"]]
    assert sent[0] == TRACE
    assert sent[1] == got["traceparent"].split("-")[2] != SPAN
    assert got["baggage"] == "tenant=acme"
    assert (answer.get("X-Trace-ID") == TRACE) is (rate == 1.0)


@dataclass  # with an __eq__ of its own it has no hash
class Wrapping(TextMapPropagator):
    """A propagator around another, as Logfire puts one in place by itself."""

    wrapped: TextMapPropagator
    extracted: int = 0

    def extract(self, carrier: Any, context: Any = None, getter: Any = default_getter) -> Any:
        """Count it: Logfire warns."""
        self.extracted += 1
        return self.wrapped.extract(carrier, context, getter)

    def inject(self, carrier: Any, context: Any = None, setter: Any = default_setter) -> None:
        """Leave it to the other."""
        self.wrapped.inject(carrier, context, setter)

    @property
    def fields(self) -> set[str]:
        """Return the other's."""
        return self.wrapped.fields


@pytest.mark.parametrize(
    ("wrapped", "headers", "asked"),
    [
        (propagate.get_global_textmap(), {"traceparent": f"00-{TRACE}-{SPAN}-01"}, False),
        (B3SingleFormat(), {"b3": f"{TRACE}-{SPAN}-1"}, True),
    ],
    ids=["the default one", "B3"],
)
def test_a_propagator_may_be_any_object(
    recordings: Path, wrapped: TextMapPropagator, headers: dict[str, str], asked: bool
) -> None:
    """One without a hash; and around the default one it is as the default one is."""
    before, wrapping = propagate.get_global_textmap(), Wrapping(wrapped)
    propagate.set_global_textmap(wrapping)
    try:
        answer, got = call(1.0, headers)
    finally:
        propagate.set_global_textmap(before)
    assert answer["X-Trace-ID"] == extract(got).trace_id == TRACE
    assert (wrapping.extracted > 0) is asked


class PrefixedBaggage(W3CBaggagePropagator):
    """Reads baggage from headers by how their names begin, as Jaeger's propagator does."""

    def extract(self, carrier: Any, context: Any = None, getter: Any = default_getter) -> Any:
        """Look through the names of all headers."""
        for name in getter.keys(carrier):
            if name.startswith("uberctx-"):
                value = getter.get(carrier, name)[0]
                context = baggage.set_baggage(name.removeprefix("uberctx-"), value, context)
        return context


@pytest.mark.parametrize("rate", [1.0, 0.0], ids=["recorded", "unrecorded"])
def test_a_propagator_may_look_through_all_names(recordings: Path, rate: float) -> None:
    """What it finds goes on; in a message too."""
    before = propagate.get_global_textmap()
    propagate.set_global_textmap(PrefixedBaggage())
    try:
        _, got = call(rate, {"UberCtx-Tenant": "acme"})
        foreign = extract({b"uberctx-tenant": b"acme"}).foreign
    finally:
        propagate.set_global_textmap(before)
    assert got["baggage"] == "tenant=acme"
    assert baggage.get_baggage("tenant", foreign) == "acme"


def test_without_b3_headers_a_trace_begins(recordings: Path, b3: str) -> None:
    """And goes on by B3 as well."""
    _, got = call(1.0, {})
    name = "b3" if b3 == "single" else "x-b3-traceid"
    assert got[name].startswith(extract(got).trace_id)


def test_the_default_propagator_is_left_to_the_user(recordings: Path) -> None:
    """Baggage that nobody asked us to pass on is not."""
    assert baggage.get_all() == {}
    _, got = call(1.0, {"baggage": "tenant=acme", "b3": f"{TRACE}-{SPAN}-1"})
    assert "baggage" not in got
    assert "b3" not in got


def test_the_spans_ids_are_used_and_it_leads_to_the_recording(recordings: Path) -> None:
    """From Jaeger one jumps to the recording: `retrace.recording` is its place in the store."""
    provider = TracerProvider()
    with provider.get_tracer("t").start_as_current_span("request") as span:
        _, got = call(1.0, {"traceparent": f"00-{TRACE}-{SPAN}-01"})
    ids = span.get_span_context()
    assert extract(got).trace_id == f"{ids.trace_id:032x}"
    assert writer.flush()
    (file,) = recordings.glob("*/front/trace.bin")
    assert load(file).header.parent_span_id == f"{ids.span_id:016x}"
    attributes: Any = span.attributes  # type: ignore[attr-defined]
    assert attributes["retrace.recording"] == f"{ids.trace_id:032x}/front"
    assert attributes["retrace.decision"] == "yes: SampleRate: drawn at rate 1"


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "dropped"])
def test_of_a_provisional_recording_the_span_tells_only_what_is_true(
    recordings: Path, kept: bool
) -> None:
    """`retrace.recording` is there when the recording is."""

    def keep(_: object) -> Decision:
        return Decision("yes" if kept else "no", "because", "keep")

    decide = lambda _: Decision("tail", "at its end", "t", keep)  # noqa: E731
    with TracerProvider().get_tracer("t").start_as_current_span("request") as span:
        call(0.0, {}, decide=decide)
    attributes: Any = span.attributes  # type: ignore[attr-defined]
    assert ("retrace.recording" in attributes) is kept
    assert attributes["retrace.decision"] == (
        "yes: keep: because" if kept else "tail: t: at its end"
    )


def test_ids_that_the_application_tells_come_again(recordings: Path) -> None:
    """Of a span of its own, in the body: they are drawn by the tracer, for it."""
    tracer = TracerProvider().get_tracer("shop")

    def view() -> str:
        with tracer.start_as_current_span("pay") as span:
            context = span.get_span_context()
            return f"{context.trace_id:032x} {context.span_id:016x}"

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)
