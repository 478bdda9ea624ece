"""Metrics: the same numbers for OpenTelemetry and Prometheus, and the page that lists them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client

from retrace_core import stats, writer
from retrace_core.stats import count
from retrace_mw import Decision, Limits, RequestView, RetraceMiddleware, metrics, tally
from retrace_mw.metrics import METRICS, prometheus_text

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"


def hello(environ: Any, start_response: Any) -> list[bytes]:
    """A WSGI application."""
    start_response("200 OK", [])
    return [b"hello"]


def collected(reader: InMemoryMetricReader) -> dict[str, dict[tuple[tuple[str, Any], ...], float]]:
    """Return metric -> labels -> value, as OpenTelemetry collects them."""
    data = reader.get_metrics_data()
    assert data is not None
    return {
        metric.name: {
            tuple(sorted((point.attributes or {}).items())): point.value  # type: ignore[union-attr]
            for point in metric.data.data_points
        }
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def parsed(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Return metric -> labels -> value, as Prometheus reads them."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


@pytest.fixture
def reader() -> InMemoryMetricReader:
    """Return what OpenTelemetry's SDK collects into."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    metrics.register(provider)
    metrics.register(provider)  # the second time changes nothing
    return reader


def every_third(request: RequestView) -> Decision:
    """Record what says so in its path."""
    verdict = "yes" if request.path == "/yes" else "no"
    return Decision(verdict, "by path", "every_third")  # type: ignore[arg-type]


def test_what_happens_is_in_the_metrics(recordings: Path, reader: InMemoryMetricReader) -> None:
    """Decided by decider and verdict, recorded, kept, suppressed by reason, bytes, time."""
    before = collected(reader)
    limits = Limits(per_second=1)
    client = Client(RetraceMiddleware(hello, decide=every_third, limits=limits, service="shop"))
    for path in ("/yes", "/no", "/no", "/yes", "/yes"):
        client.get(path, buffered=True)
    assert writer.flush()
    after = collected(reader)

    def grown(name: str, **labels: str) -> float:
        key = tuple(sorted(labels.items()))
        return after.get(name, {}).get(key, 0) - before.get(name, {}).get(key, 0)

    assert grown("retrace.decided", decider="every_third", verdict="yes") == 3
    assert grown("retrace.decided", decider="every_third", verdict="no") == 2
    assert grown("retrace.recorded") == 2
    assert grown("retrace.kept") == 2
    assert grown("retrace.suppressed", reason="per_second") == 1
    assert grown("retrace.written") == sum(f.stat().st_size for f in recordings.rglob("*.bin"))
    assert grown("retrace.write.time") > 0
    assert after["retrace.recording"] == after["retrace.queue.recordings"] == {(): 0}


def test_prometheus_reads_the_same(recordings: Path, reader: InMemoryMetricReader) -> None:
    """Prometheus' own parser finds each metric, with the labels, under its name."""
    count("dropped.tail")
    Client(RetraceMiddleware(hello, service="shop")).get("/", buffered=True)
    assert writer.flush()
    text = parsed(prometheus_text({}))
    for metric in METRICS:
        if metric.name not in ("retrace.writer.cpu.time", "retrace.overhead"):
            theirs = text.get(metric.prometheus_name, {})
            assert theirs == pytest.approx(collected(reader).get(metric.name, {})), metric.name
    assert all(dict(key)["pid"] for row in parsed(prometheus_text()).values() for key in row)


def test_a_flag_without_a_value_is_counted_by_reason(reader: InMemoryMetricReader) -> None:
    """The default counted, and why."""
    key = (("reason", "not_found"),)
    before = collected(reader).get("retrace.flag.defaults", {}).get(key, 0)
    count("flag.not_found")
    assert collected(reader)["retrace.flag.defaults"][key] == before + 1


@given(st.text())
def test_any_name_of_a_decider_is_one_label(name: str) -> None:
    """What a decider is called can't break the format."""
    tally._tally.get("no", {}).pop(name, None)
    tally.note(Decision("no", "", name))
    try:
        found = parsed(prometheus_text({}))["retrace_decided_total"]
        assert found[("decider", name), ("verdict", "no")] == 1
    finally:
        del tally._tally["no"][name]


def test_names_made_up_for_every_request_do_not_fill_the_memory() -> None:
    """Beyond two hundred they are counted as "other"."""
    for number in range(1000):
        tally.note(Decision("no", "", f"decider {number}"))
    try:
        assert len(tally.decided()) <= 202
        assert tally.decided()["other", "no"] >= 700
    finally:
        tally._tally.clear()


def test_the_endpoint_is_a_wsgi_application() -> None:
    """By the rules of PEP 3333."""
    answer = Client(validator(metrics.prometheus_wsgi)).get("/metrics", buffered=True)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "retrace_kept_total" in parsed(answer.text)


def test_the_endpoint_is_an_asgi_application() -> None:
    """One start, one body."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(metrics.prometheus_asgi({"type": "http"}, None, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert "retrace_kept_total" in parsed(sent[1]["body"].decode())


def metrics_table() -> str:
    """Return the table of docs/metrics.md as the code says it."""
    rows = [
        f"| `{one.name}` | `{one.prometheus_name}` | {one.kind} |"
        f" {', '.join(f'`{label}`' for label in one.labels)} | {one.unit} | {one.doc} |"
        for one in METRICS
    ]
    head = "| OpenTelemetry | Prometheus | kind | labels | unit | what |\n|---|---|---|---|---|---|"
    return "\n".join([head, *rows])


def test_the_metrics_are_documented() -> None:
    """docs/metrics.md lists every metric, with names, labels and unit."""
    assert metrics_table() in PAGE.read_text()


def test_every_counter_is_in_some_metric(recordings: Path) -> None:
    """A counter that nobody can see from outside would be of little use."""
    before = stats()
    Client(RetraceMiddleware(hello, service="shop")).get("/", buffered=True)
    assert writer.flush()
    grown = [name for name, value in stats().items() if value != before.get(name)]
    shown = ("begun", "written", "written_bytes", "write_us", "writer_cpu_us")
    prefixes = ("dropped.", "suppressed.", "faults.", "config.")
    unseen = [n for n in grown if n not in shown and not n.startswith(prefixes)]
    # Handed to the writer, of which kept or dropped comes; and what doctor tells.
    assert set(unseen) <= {"recorded", "boundaries.installed"}
