"""The cost of a request: CPU time and latency, bare, with the middleware, and traced.

`python -m benchmarks.requests [--rounds N] [--requests N] [--shm]` prints a table. Each
variant is a process of its own that calls the application in process; rounds of all variants
are interleaved, and the median is shown. CPU is user and system time of all threads, the
writer's included.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.unlimited import UNLIMITED
from tests.http_origin import origin

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


def serve(kind: str, variant: str) -> None:
    """Run rounds as standard input asks: "path count" -> "cpu wall", microseconds a request."""
    from retrace_core import writer

    app = make(kind, variant)
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
        print((cpu_s() - cpu) / count * 1e6, latency / count * 1e6, flush=True)


def option(name: str, default: int) -> int:
    """Return a whole number from the command line."""
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


def measure(kind: str, folder: Path, url: str) -> dict[str, dict[str, tuple[float, float]]]:
    """Return path -> variant -> (CPU, latency), medians in microseconds."""
    processes = {}
    for variant in VARIANTS:
        environment = {
            **os.environ,
            **UNLIMITED,
            "BENCH_DB": str(folder / f"{variant}.db"),
            "BENCH_URL": url,
            "RETRACE_RECORDING_PATH": str(folder / "recordings" / variant.replace(" ", "")),
        }
        command = [sys.executable, "-m", "benchmarks.requests", "--serve", kind, variant]
        processes[variant] = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for path, count in (("/empty", 500), ("/checkout", option("--requests", 100))):
        rounds: dict[str, list[list[float]]] = {variant: [] for variant in VARIANTS}
        for number in range(option("--rounds", 5) + 1):
            for variant, process in processes.items():
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(f"{path} {count}\n")
                process.stdin.flush()
                answer = process.stdout.readline().split()
                if number:  # the first round warms up
                    rounds[variant].append([float(part) for part in answer])
        found[path] = {
            variant: (
                statistics.median(one[0] for one in many),
                statistics.median(one[1] for one in many),
            )
            for variant, many in rounds.items()
        }
    for process in processes.values():
        process.communicate()
    return found


def main() -> None:
    """Print the table."""
    if "--serve" in sys.argv:
        serve(*sys.argv[-2:])
        return
    base = "/dev/shm" if "--shm" in sys.argv else None
    with tempfile.TemporaryDirectory(dir=base) as name, origin() as (url, _):
        folder = Path(name)
        for kind, title in (("asgi", "FastAPI, httpx"), ("wsgi", "Flask, requests")):
            for path, row in measure(kind, folder, url).items():
                print(f"\n{title}, {path}: CPU µs, ratio, added; latency µs")
                bare = row["bare"][0]
                for variant, (cpu, wall) in row.items():
                    line = f"  {variant:12} {cpu:8.1f} {cpu / bare:6.2f} {cpu - bare:+8.1f}"
                    print(f"{line} {wall:9.1f}")
        sizes = [path.stat().st_size for path in folder.glob("recordings/100%/*/*/*.bin")]
        sizes = sorted(size for size in sizes if size > 1000)
        print(json.dumps({"bytes of a checkout, median": sizes[len(sizes) // 2]}))


if __name__ == "__main__":
    main()
