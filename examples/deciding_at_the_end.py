"""Deciding at the end: every request is recorded provisionally, and the interesting ones are kept.

`python examples/deciding_at_the_end.py` serves a few requests in process and shows what is left.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import flask

from retrace_core import load, writer
from retrace_mw import FinishedRequest, RetraceMiddleware, any_of
from retrace_mw.deciders import KeepIf, KeepIfFailed, KeepIfNew, KeepIfSlower, SampleRate

app = flask.Flask("storefront")


@app.get("/orders/<int:number>")
def order(number: int) -> str:
    """Show an order."""
    return f"order {number}"


@app.get("/report")
def report() -> str:
    """Make a slow report."""
    time.sleep(0.2)
    return "report"


@app.post("/pay")
def pay() -> tuple[dict[str, str], int]:
    """Handle a failure and log it: the answer is no 5xx, but the exception counts."""
    try:
        raise LookupError("no such card")
    except LookupError:
        app.logger.error("the card was refused")
        return {"error": "refused"}, 402


def is_large_answer(finished: FinishedRequest) -> bool:
    """Keep what answers with more than a megabyte."""
    return int(finished.header("content-length", "0")) > 1_000_000


def main() -> None:
    """Serve requests, and list what was kept and why."""
    with tempfile.TemporaryDirectory() as recordings:
        app.wsgi_app = RetraceMiddleware(  # type: ignore[method-assign]
            app.wsgi_app,
            service="storefront",
            enabled=True,
            recording_path=recordings,
            decide=any_of(
                SampleRate(0.0),
                KeepIfFailed(),
                KeepIfSlower(0.1),
                KeepIfNew(),
                KeepIf(is_large_answer),
            ),
        )
        client = app.test_client()
        for number in range(100):
            client.get(f"/orders/{number}", buffered=True)
        client.get("/report", buffered=True)
        client.post("/pay", buffered=True)
        writer.flush()
        found = [load(path).header for path in Path(recordings).glob("*/*/trace.bin")]
        print(f"102 requests, {len(found)} kept:")
        for header in sorted(found, key=lambda one: one.started_ns):
            print(f"  {header.method} {header.path}: {header.decision.reason}")
        assert [one.path for one in sorted(found, key=lambda one: one.started_ns)] == [
            "/orders/0",
            "/report",
            "/pay",
        ]


if __name__ == "__main__":
    os.environ.pop("RETRACE_CONFIG", None)
    main()
