"""The cost of a request: CPU time and latency, bare, with the middleware, and traced.

`python -m benchmarks.requests [--rounds N] [--requests N] [--shm]` prints a table. Each
variant is a process of its own that calls the application in process; rounds of all variants
are interleaved. Shown are medians; what a variant adds is the median of its differences to the
bare one of the same round, and to a middleware that does nothing. CPU is user and system time
of all threads, the writer's included. `--shm` records into memory instead of onto the disk.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.rounds import Rounds, measure
from tests.http_origin import origin

if TYPE_CHECKING:
    from collections.abc import Callable

VARIANTS = ("bare", "no-op", "off", "not sampled", "10 %", "100 %", "otel never", "otel always")


def cpu_s() -> float:
    """Return the CPU time of this process, all threads, in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class NoOp:
    """A middleware of either kind that does nothing."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass an ASGI connection on."""
        await self.app(scope, receive, send)

    def wsgi(self, environ: Any, start_response: Any) -> Any:
        """Pass a WSGI request on."""
        return self.app(environ, start_response)


def instrument(variant: str) -> Any:
    """Switch OpenTelemetry on, with its instrumentations of all that the checkout uses."""
    from opentelemetry import trace
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware as Asgi
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
    from opentelemetry.instrumentation.requests import RequestsInstrumentor
    from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
    from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware as Wsgi
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

    class Nowhere(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    provider = TracerProvider(sampler=ALWAYS_ON if variant.endswith("always") else ALWAYS_OFF)
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    trace.set_tracer_provider(provider)
    for one in (HTTPXClientInstrumentor(), RequestsInstrumentor(), SQLite3Instrumentor()):
        one.instrument()
    return {"asgi": Asgi, "wsgi": Wsgi}


def make(kind: str, variant: str) -> Any:
    """Return the application, wrapped as the variant says."""
    tracing = instrument(variant) if variant.startswith("otel") else None
    rates = {"not sampled": "0", "10 %": "0.1", "100 %": "1"}
    os.environ["RETRACE"] = "1" if variant in rates else "0"
    os.environ["RETRACE_SAMPLE_RATE"] = rates.get(variant, "0")
    from benchmarks import shop
    from retrace_mw import RetraceMiddleware

    app = shop.make_asgi() if kind == "asgi" else shop.make_wsgi()
    if tracing is not None:
        return tracing[kind](app)
    if variant == "no-op":
        return getattr(NoOp(app), kind)
    return app if variant == "bare" else RetraceMiddleware(app, service="shop")


HEADERS = {f"x-header-{n}": f"value {n}" for n in range(8)} | {"host": "shop", "accept": "*/*"}


async def call_asgi(app: Any, path: str) -> None:
    """Send one request to an ASGI application."""

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        return None

    headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET"}
    scope |= {"scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"root_path": "", "headers": headers, "client": ("c", 1), "server": ("s", 80)}
    await app(scope, receive, send)


def call_wsgi(app: Any, path: str) -> None:
    """Send one request to a WSGI application."""
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "s", "SERVER_PORT": "80"}
    environ |= {"HTTP_" + n.upper().replace("-", "_"): value for n, value in HEADERS.items()}
    environ |= {"wsgi.url_scheme": "http", "wsgi.input": sys.stdin.buffer}
    chunks = app(environ, lambda *_: None)
    list(chunks)
    getattr(chunks, "close", int)()


def serve(kind: str, variant: str, make: Callable[[str, str], Any] = make) -> None:
    """Run rounds as standard input asks: "path count" -> "cpu wall", microseconds a request."""
    from retrace_core import stats, writer

    app = make(kind, variant)
    asked = 0
    runner = asyncio.Runner()

    async def many(path: str, count: int) -> None:
        for _ in range(count):
            await call_asgi(app, path)

    for line in sys.stdin:
        path, count = line.split()[0], int(line.split()[1])
        cpu, wall = cpu_s(), time.perf_counter()
        if kind == "asgi":
            runner.run(many(path, count))
        else:
            for _ in range(count):
                call_wsgi(app, path)
        latency = time.perf_counter() - wall
        writer.flush(30)
        asked += count
        if variant == "100 %":  # the boot tape is written too
            assert stats()["recorded"] == asked <= stats()["written"], stats()
        print((cpu_s() - cpu) / count * 1e6, latency / count * 1e6, flush=True)


def added(rounds: Rounds, variant: str, base: str) -> float:
    """Return the median of what a variant costs more than another in the same round."""
    return statistics.median(
        one[0] - other[0] for one, other in zip(rounds[variant], rounds[base], strict=True)
    )


def print_table(title: str, rounds: Rounds) -> None:
    """Print a line for each variant."""
    print(f"\n{title}: µs per request")
    print(f"  {'':12} {'CPU':>8} {'ratio':>6} {'+ bare':>8} {'+ no-op':>8} {'latency':>8}")
    bare = statistics.median(one[0] for one in rounds["bare"])
    for variant, many in rounds.items():
        cpu, wall = (statistics.median(one[part] for one in many) for part in (0, 1))
        line = f"  {variant:12} {cpu:8.1f} {cpu / bare:6.2f} {added(rounds, variant, 'bare'):+8.1f}"
        print(f"{line} {added(rounds, variant, 'no-op'):+8.1f} {wall:8.1f}", flush=True)


def main() -> None:
    """Print the table."""
    if "--serve" in sys.argv:
        serve(*sys.argv[-2:])
        return
    base = "/dev/shm" if "--shm" in sys.argv else None
    with tempfile.TemporaryDirectory(dir=base) as name, origin() as (url, _):
        folder = Path(name)
        for kind, title in (("asgi", "FastAPI, httpx"), ("wsgi", "Flask, requests")):
            for path, rounds in measure(
                "benchmarks.requests",
                kind,
                VARIANTS,
                folder=folder,
                url=url,
                recordings=lambda variant: folder / "recordings" / variant.replace(" ", ""),
            ).items():
                print_table(f"{title}, {path}", rounds)
        sizes = [path.stat().st_size for path in folder.glob("recordings/100%/*/*/*.bin")]
        sizes = sorted(size for size in sizes if size > 1000)
        print(json.dumps({"bytes of a checkout, median": sizes[len(sizes) // 2]}))


if __name__ == "__main__":
    main()
