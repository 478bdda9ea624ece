"""What the overhead guard multiplies: the cost of a recorded request, and of its events.

`python -m benchmarks.overhead` prints what a recorded request costs its own thread beyond one
that is not recorded, in probes (`retrace_mw.overhead.event_s`): with no event, and for each SQL
statement. `retrace_mw/overhead.py` has these numbers as constants.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from typing import Any

from benchmarks.requests import call_wsgi
from benchmarks.rounds import option
from benchmarks.unlimited import UNLIMITED

STATEMENTS = 20


def app(environ: Any, start_response: Any) -> list[bytes]:
    """Answer, after as many statements as the path says."""
    if environ["PATH_INFO"] == "/sql":
        connection = sqlite3.connect(":memory:")
        for number in range(STATEMENTS):
            connection.execute("SELECT ?, 'row', 1.5", (number,)).fetchall()
        connection.close()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"x"]


def request_us(wrapped: Any, path: str, requests: int, rounds: int) -> float:
    """Return CPU microseconds of the request's thread, per request, the least of all rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.thread_time_ns()
        for _ in range(requests):
            call_wsgi(wrapped, path)
        best = min(best, (time.thread_time_ns() - start) / requests / 1e3)
    return best


def main() -> None:
    """Print the table."""
    os.environ |= UNLIMITED | {"RETRACE": "1", "RETRACE_SAMPLE_RATE": "1"}
    requests, rounds = option("--requests", 100), option("--rounds", 30)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RETRACE_RECORDING_PATH"] = folder
        from retrace_core import writer
        from retrace_mw import RetraceMiddleware
        from retrace_mw.deciders import Never
        from retrace_mw.overhead import event_s

        recorded = RetraceMiddleware(app, service="bench")
        passed = RetraceMiddleware(app, service="bench", decide=Never())
        added = {
            path: request_us(recorded, path, requests, rounds)
            - request_us(passed, path, requests, rounds)
            for path in ("/", "/sql")
        }
        writer.flush(30)
        probe_us = event_s() * 1e6
    events = 2 * STATEMENTS + 2  # execute and fetch of each, connect and close
    event_us = (added["/sql"] - added["/"]) / events
    print(f"probe: {probe_us:.2f} µs")
    print(f"a request without events: {added['/']:.1f} µs, {added['/'] / probe_us:.0f} probes")
    print(f"an event: {event_us:.2f} µs, {event_us / probe_us:.1f} probes")


if __name__ == "__main__":
    main()
