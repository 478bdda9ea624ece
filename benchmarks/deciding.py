"""The cost of deciding not to record: four deciders put together, beside two samplers.

`python -m benchmarks.deciding [--rounds N] [--requests N]` prints CPU microseconds per
request. Each variant is a process of its own, around applications that do next to nothing;
they take turns, and the least of many short rounds is shown. Retrace's four deciders all come
to be asked: X-Trace-ID, a share by the trace id, a header and a path of the user's. Beside it
are OpenTelemetry's middleware with its sampler ParentBased(TraceIdRatioBased), and Sentry's with
a `traces_sampler` that looks at the path; neither of them samples.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.requests import NoOp, call_asgi, call_wsgi
from benchmarks.rounds import option

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_mw import RequestView

ALLOWED_US = 5.0
NEVER = 1e-12
"""A rate at which the draw is made and nothing is drawn."""


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    """Answer with nothing."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    """Answer with nothing."""
    start_response("200 OK", [])
    return [b""]


def deciders() -> Any:
    """Return four deciders, put together."""
    from retrace_mw import Decision, any_of
    from retrace_mw.deciders import SampleRate, TraceHeader

    no = Decision("no", "another tenant", "tenant")
    yes = Decision("yes", "the tenant asked for it", "tenant")

    def tenant(request: RequestView) -> Decision:
        return yes if request.header("x-tenant") == "acme" else no

    no_pay = Decision("no", "no payment", "payments")
    pay = Decision("yes", "a payment", "payments")

    def payments(request: RequestView) -> Decision:
        return pay if request.path.startswith("/pay") and request.method == "POST" else no_pay

    return any_of(TraceHeader(), SampleRate(NEVER), tenant, payments)


def sentry() -> tuple[Any, Any]:
    """Return Sentry's middleware around both applications."""
    import sentry_sdk
    from sentry_sdk.integrations.asgi import SentryAsgiMiddleware
    from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware
    from sentry_sdk.transport import Transport

    class Nowhere(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            """Send nothing."""

    def traces_sampler(context: Any) -> float:
        source = context.get("wsgi_environ") or context.get("asgi_scope") or {}
        path = source.get("PATH_INFO") or source.get("path") or ""
        return 1.0 if path.startswith("/pay") else 0.0

    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1",
        traces_sampler=traces_sampler,
        transport=Nowhere,
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
    )
    return SentryAsgiMiddleware(asgi_app), SentryWsgiMiddleware(wsgi_app)


def opentelemetry() -> tuple[Any, Any]:
    """Return OpenTelemetry's middleware around both applications."""
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware as Asgi
    from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware as Wsgi
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(NEVER)))
    return (
        Asgi(asgi_app, tracer_provider=provider),
        Wsgi(wsgi_app, tracer_provider=provider),
    )


def retrace() -> tuple[Any, Any]:
    """Return our middleware around both applications, with a settings file that is watched."""
    from retrace_mw import RetraceMiddleware

    given = deciders()
    return RetraceMiddleware(asgi_app, decide=given), RetraceMiddleware(wsgi_app, decide=given)


def retrace_off() -> tuple[Any, Any]:
    """Return our middleware switched off."""
    os.environ["RETRACE"] = "0"
    return retrace()


def retrace_beside_opentelemetry() -> tuple[Any, Any]:
    """Return our middleware where OpenTelemetry is loaded, so that a span may name the trace."""
    import opentelemetry.trace  # noqa: F401

    return retrace()


VARIANTS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "no middleware": lambda: (asgi_app, wsgi_app),
    "one that does nothing": lambda: (NoOp(asgi_app).asgi, NoOp(wsgi_app).wsgi),
    "retrace, off": retrace_off,
    "retrace, four deciders": retrace,
    "the same, opentelemetry loaded": retrace_beside_opentelemetry,
    "opentelemetry, ratio": opentelemetry,
    "sentry, traces_sampler": sentry,
}
"""Name -> what makes the ASGI and the WSGI application."""


def serve(variant: str) -> None:
    """Run rounds as standard input asks: "asgi 300" -> CPU microseconds a request."""
    asgi, wsgi = VARIANTS[variant]()

    async def many(count: int) -> float:
        start = time.thread_time_ns()
        for _ in range(count):
            await call_asgi(asgi, "/orders")
        return (time.thread_time_ns() - start) / count / 1e3

    def many_wsgi(count: int) -> float:
        start = time.thread_time_ns()
        for _ in range(count):
            call_wsgi(wsgi, "/orders")
        return (time.thread_time_ns() - start) / count / 1e3

    with asyncio.Runner() as runner:
        for line in sys.stdin:
            kind, count = line.split()
            took = runner.run(many(int(count))) if kind == "asgi" else many_wsgi(int(count))
            print(took, flush=True)


def measure(folder: Path, rounds: int, requests: int) -> dict[str, dict[str, float]]:
    """Return variant -> "asgi" or "wsgi" -> CPU microseconds per request, the least of all."""
    (folder / "retrace.toml").write_text("[retrace]\n")
    environment = {
        **os.environ,
        "RETRACE": "1",
        "RETRACE_CONFIG": str(folder / "retrace.toml"),
        "RETRACE_SERVICE": "bench",
        "RETRACE_RECORDING_PATH": str(folder / "recordings"),
    }
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.deciding", "--serve"]
    processes = {
        variant: subprocess.Popen(
            [*command, variant],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for variant in VARIANTS
    }
    found: dict[str, dict[str, float]] = {variant: {} for variant in VARIANTS}
    for _ in range(rounds):
        for variant, process in processes.items():
            assert process.stdin is not None
            assert process.stdout is not None
            for kind in ("asgi", "wsgi"):
                process.stdin.write(f"{kind} {requests}\n")
                process.stdin.flush()
                took = float(process.stdout.readline())
                found[variant][kind] = min(took, found[variant].get(kind, took))
    for process in processes.values():
        process.communicate()
    return found


def main() -> int:
    """Print the table; the exit status is 0 when Retrace adds no more than it may."""
    if "--serve" in sys.argv:
        serve(sys.argv[-1])
        return 0
    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name), option("--rounds", 60), option("--requests", 300))
    bare = found["no middleware"]
    print(
        f"{'µs per request, nothing recorded':34} {'ASGI':>7} {'added':>7} {'WSGI':>7} {'added':>7}"
    )
    added: dict[str, list[float]] = {}
    for variant, row in found.items():
        added[variant] = [row[kind] - bare[kind] for kind in ("asgi", "wsgi")]
        asgi, wsgi = added[variant]
        print(f"{variant:34} {row['asgi']:7.2f} {asgi:+7.2f} {row['wsgi']:7.2f} {wsgi:+7.2f}")
    return 0 if max(added["retrace, four deciders"]) <= ALLOWED_US else 1


if __name__ == "__main__":
    raise SystemExit(main())
