"""Metrics: what recording does, for OpenTelemetry and for Prometheus; each once, in one table.

They are read off counters that are there anyway, when somebody asks: no request pays for
them. All are of one process. `docs/metrics.md` lists them.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from retrace_core import writer
from retrace_core.stats import counter, stats
from retrace_mw import limiter, tally

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

__all__ = [
    "METRICS",
    "Metric",
    "prometheus_asgi",
    "prometheus_text",
    "prometheus_wsgi",
    "register",
]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
Readings = Iterable[tuple[Labels, float]]

_SUFFIXES = {"By": "_bytes", "s": "_seconds", "1": "_ratio"}
_registered: weakref.WeakSet[Any] = weakref.WeakSet()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric."""

    name: str
    """As OpenTelemetry has it."""
    kind: Literal["counter", "gauge"]
    unit: str
    """By UCUM: "By", "s", "1", or what is counted, in braces."""
    doc: str
    read: Callable[[], Readings]
    """Gives the values of now, each with its labels."""
    labels: tuple[str, ...] = ()

    @property
    def prometheus_name(self) -> str:
        """As Prometheus has it: the same that OpenTelemetry's exporter makes of `name`."""
        total = "_total" if self.kind == "counter" else ""
        return f"{self.name.replace('.', '_')}{_SUFFIXES.get(self.unit, '')}{total}"


def _one(name: str, scale: float = 1.0) -> Callable[[], Readings]:
    return lambda: [({}, counter(name) * scale if scale != 1.0 else counter(name))]


def _by(label: str, prefix: str) -> Callable[[], Readings]:
    return lambda: [
        ({label: name.removeprefix(prefix)}, value)
        for name, value in stats().items()
        if name.startswith(prefix)
    ]


def _decided() -> Readings:
    return [
        ({"decider": decider, "verdict": verdict}, value)
        for (decider, verdict), value in sorted(tally.decided().items())
    ]


METRICS: tuple[Metric, ...] = (
    Metric(
        name="retrace.decided",
        kind="counter",
        unit="{request}",
        labels=("decider", "verdict"),
        doc="Requests decided on. `default` is the decider when none of several said yes.",
        read=_decided,
    ),
    Metric(
        name="retrace.recorded",
        kind="counter",
        unit="{request}",
        doc="Requests that were recorded, provisionally or not, whatever became of it.",
        read=_one("begun"),
    ),
    Metric(
        name="retrace.recording",
        kind="gauge",
        unit="{request}",
        doc="Requests that are being recorded now.",
        read=lambda: [({}, limiter.running())],
    ),
    Metric(
        name="retrace.kept",
        kind="counter",
        unit="{recording}",
        doc="Recordings that are in the store.",
        read=_one("written"),
    ),
    Metric(
        name="retrace.dropped",
        kind="counter",
        unit="{recording}",
        labels=("reason",),
        doc="Recordings that were made and not kept: `tail`, `undecided`, `queue_full`,"
        " `encode_error`, `store_error`, ...",
        read=_by("reason", "dropped."),
    ),
    Metric(
        name="retrace.suppressed",
        kind="counter",
        unit="{request}",
        labels=("reason",),
        doc="Requests, or recordings at their end, that a limit kept from being recorded; the"
        " reasons are those of docs/limits.md.",
        read=_by("reason", "suppressed."),
    ),
    Metric(
        name="retrace.flag.defaults",
        kind="counter",
        unit="{request}",
        labels=("reason",),
        doc="Requests for which a feature flag had no usable value, so that the decider's default"
        " counted: `not_ready`, `not_found`, `evaluation_failed`, ... (docs/flags.md); and of"
        " files of flags `file_read`, `file_rejected`.",
        read=_by("reason", "flag."),
    ),
    Metric(
        name="retrace.malformed",
        kind="counter",
        unit="{request}",
        labels=("header",),
        doc="Requests with a header of the trace that holds what it must not, by its name:"
        " `traceparent`, `x-retrace`, ... (docs/propagation.md).",
        read=_by("header", "malformed."),
    ),
    Metric(
        name="retrace.written",
        kind="counter",
        unit="By",
        doc="Bytes put into the store.",
        read=_one("written_bytes"),
    ),
    Metric(
        name="retrace.queue.recordings",
        kind="gauge",
        unit="{recording}",
        doc="Recordings that wait to be written.",
        read=lambda: [({}, writer.waiting()[0])],
    ),
    Metric(
        name="retrace.queue.size",
        kind="gauge",
        unit="By",
        doc="About how much memory they hold; at most `queue_bytes`.",
        read=lambda: [({}, writer.waiting()[1])],
    ),
    Metric(
        name="retrace.write.time",
        kind="counter",
        unit="s",
        doc="Time taken to encode and store recordings; divided by `retrace.kept` it is the"
        " mean latency of a write.",
        read=_one("write_us", 1e-6),
    ),
    Metric(
        name="retrace.writer.cpu.time",
        kind="counter",
        unit="s",
        doc="CPU time of the writer's thread.",
        read=_one("writer_cpu_us", 1e-6),
    ),
    Metric(
        name="retrace.overhead",
        kind="gauge",
        unit="1",
        doc="Part of the process's CPU time that recording took in the last whole ten seconds.",
        read=lambda: [({}, limiter.overhead())],
    ),
    Metric(
        name="retrace.faults",
        kind="counter",
        unit="{fault}",
        labels=("stage",),
        doc="Faults of Retrace's own, or of a decider; the request was not affected.",
        read=_by("stage", "faults."),
    ),
    Metric(
        name="retrace.config.reads",
        kind="counter",
        unit="{read}",
        labels=("outcome",),
        doc="Changed settings files that were `reloaded`, or `rejected` for what is in them.",
        read=_by("outcome", "config."),
    ),
)


def register(meter_provider: MeterProvider | None = None) -> None:
    """Have OpenTelemetry collect the metrics; a second call for the same provider does nothing.

    Args:
        meter_provider: default: the global one, as it is set by now.
    """
    from opentelemetry.metrics import get_meter_provider

    provider = meter_provider or get_meter_provider()
    if provider in _registered:
        return
    _registered.add(provider)
    meter = provider.get_meter("retrace_mw")
    for metric in METRICS:
        make = (
            meter.create_observable_counter
            if metric.kind == "counter"
            else meter.create_observable_gauge
        )
        make(metric.name, [_observing(metric)], unit=metric.unit, description=metric.doc)


def _observing(metric: Metric) -> Callable[[CallbackOptions], Iterable[Observation]]:
    from opentelemetry.metrics import Observation

    def observe(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(value, dict(labels)) for labels, value in metric.read()]

    return observe


def prometheus_text(labels: Labels | None = None) -> str:
    """Return the metrics of this process in Prometheus' text format.

    Args:
        labels: put on every metric; default: `pid`, since of several workers behind one port
            a scrape reaches any, and counters of different ones must not be mixed up.
    """
    common = {"pid": str(os.getpid())} if labels is None else labels
    lines: list[str] = []
    for metric in METRICS:
        name = metric.prometheus_name
        lines.append(f"# HELP {name} {_escaped(metric.doc)}")
        lines.append(f"# TYPE {name} {metric.kind}")
        lines += [f"{name}{_braced({**own, **common})} {value}" for own, value in metric.read()]
    return "\n".join(lines) + "\n"


def _braced(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = (f'{name}="{_escaped(value, quoted=True)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(text: str, *, quoted: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quoted else text


async def prometheus_asgi(scope: Any, receive: Any, send: Any) -> None:
    """Serve `prometheus_text` as an ASGI application: `app.mount("/metrics", prometheus_asgi)`."""
    if scope["type"] != "http":
        return
    headers = [(b"content-type", CONTENT_TYPE.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": prometheus_text().encode()})


def prometheus_wsgi(environ: Any, start_response: Any) -> list[bytes]:
    """Serve `prometheus_text` as a WSGI application."""
    body = prometheus_text().encode()
    start_response("200 OK", [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))])
    return [body]
