"""Deciding by header: a request with X-Trace-ID is recorded, up to a rate.

`python examples/deciding_by_header.py` sends a few requests in process and shows what is left.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import flask

from retrace_core import load, writer
from retrace_mw import RetraceMiddleware
from retrace_mw.deciders import TraceHeader

app = flask.Flask("storefront")


@app.get("/orders/<int:number>")
def order(number: int) -> str:
    """Show an order."""
    return f"order {number}"


def main() -> None:
    """Send requests with and without the header."""
    with tempfile.TemporaryDirectory() as recordings:
        app.wsgi_app = RetraceMiddleware(  # type: ignore[method-assign]
            app.wsgi_app,
            service="storefront",
            enabled=True,
            recording_path=recordings,
            decide=TraceHeader(per_s=1),  # two at once
        )
        client = app.test_client()
        client.get("/orders/0", buffered=True)
        for number in range(1, 6):
            headers = {"X-Trace-ID": f"support-{number}"}
            client.get(f"/orders/{number}", headers=headers, buffered=True)
        writer.flush()
        found = sorted(Path(recordings).glob("*/storefront/trace.bin"))
        for path in found:
            header = load(path).header
            print(f"{header.path}: {path.relative_to(recordings)} ({header.decision.reason})")
        assert [path.parts[-3] for path in found] == ["support-1", "support-2"]


if __name__ == "__main__":
    os.environ.pop("RETRACE_CONFIG", None)
    main()
