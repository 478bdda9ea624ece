"""The cost of the coverage watch, and of a declared boundary that nobody records.

`python -m benchmarks.watch [--rounds N] [--requests N]` prints

- how many audit events a request makes, and what one costs with and without the watch's hook:
  both deterministic, so that their product is known better than what follows;
- CPU per request with the watch over that without it, as ratios of interleaved rounds;
- a call of a function under `@boundary` over the bare one, outside of a recording.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.requests import call_wsgi, serve
from benchmarks.rounds import measure
from benchmarks.unlimited import UNLIMITED
from tests.http_origin import origin

if TYPE_CHECKING:
    from collections.abc import Callable

VARIANTS = {
    "not sampled": ("0", "0"),
    "not sampled, watched": ("0", "1"),
    "recorded": ("1", "0"),
    "recorded, watched": ("1", "1"),
}
"""Variant -> sample rate, and whether it is watched."""
CALLS, TURNS = 20_000, 15


def make(kind: str, variant: str) -> Any:
    """Return the application, wrapped as the variant says."""
    rate, watched = VARIANTS[variant]
    os.environ |= {"RETRACE": "1", "RETRACE_SAMPLE_RATE": rate, "RETRACE_COVERAGE_WATCH": watched}
    from benchmarks import shop
    from retrace_mw import RetraceMiddleware

    app = shop.make_asgi() if kind == "asgi" else shop.make_wsgi()
    return RetraceMiddleware(app, service="shop")


def took_ns(function: Callable[[], Any]) -> float:
    """Return nanoseconds per call, the least of many turns."""
    best = float("inf")
    for _ in range(TURNS):
        start = time.thread_time_ns()
        for _ in range(CALLS):
            function()
        best = min(best, (time.thread_time_ns() - start) / CALLS)
    return best


def events() -> None:
    """Print the events of a request of each kind, and what one costs; for a fresh process."""
    app = make("wsgi", "not sampled")
    counted = 0

    def bare() -> object:
        return sys._getframe()

    before = took_ns(bare)
    from retrace_core.coverage import coverage_watch

    coverage_watch.begin()
    event_ns = took_ns(bare) - before

    def count(*_: object) -> None:
        nonlocal counted
        counted += 1

    for _ in range(20):
        call_wsgi(app, "/checkout")
        call_wsgi(app, "/empty")
    sys.addaudithook(count)
    per: dict[str, float] = {}
    for path in ("/empty", "/checkout"):
        counted = 0
        for _ in range(20):
            call_wsgi(app, path)
        per[path] = counted / 20
    print(f"an audit event: {event_ns:+.1f} ns with the watch")
    for path, many in per.items():
        print(f"{path}: {many:.0f} events, {many * event_ns / 1e3:+.2f} µs a request")


def declared() -> None:
    """Print what `@boundary` adds to a call that nobody records."""
    from retrace_core import boundary

    def bare(sku: str, count: int = 1) -> str:
        return sku

    covered = boundary(bare)
    own, over = took_ns(lambda: bare("a", count=2)), took_ns(lambda: covered("a", count=2))
    print(f"a call: {own:.0f} ns bare, {over:.0f} ns under @boundary, {over - own:+.0f} ns")


def main() -> None:
    """Print the tables."""
    here = [sys.executable, "-m", "benchmarks.watch"]
    with tempfile.TemporaryDirectory() as name, origin() as (url, _):
        folder = Path(name)
        environment = {**os.environ, **UNLIMITED, "BENCH_DB": str(folder / "events.db")}
        environment |= {"BENCH_URL": url, "RETRACE_RECORDING_PATH": str(folder / "events")}
        subprocess.run([*here, "--events"], env=environment, check=True)
        declared()
        for kind in ("wsgi", "asgi"):
            found = measure(
                "benchmarks.watch",
                kind,
                tuple(VARIANTS),
                folder=folder,
                url=url,
                recordings=lambda variant: folder / variant,
            )
            for path, rounds in found.items():
                for variant in ("not sampled", "recorded"):
                    pairs = zip(rounds[f"{variant}, watched"], rounds[variant], strict=True)
                    ratios = [with_it[0] / without[0] for with_it, without in pairs]
                    least = min(one[0] for one in rounds[f"{variant}, watched"]) / min(
                        one[0] for one in rounds[variant]
                    )
                    print(
                        f"{kind} {path:10} {variant:12} median {statistics.median(ratios):.3f},"
                        f" least over least {least:.3f}",
                        flush=True,
                    )


if __name__ == "__main__":
    if "--serve" in sys.argv:
        place = sys.argv.index("--serve")
        serve(sys.argv[place + 1], sys.argv[place + 2], make)
    elif "--events" in sys.argv:
        events()
    else:
        main()
