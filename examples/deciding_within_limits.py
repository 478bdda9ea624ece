"""Limits: a service that would record every request, and how much of it is let through.

Run it: `python examples/deciding_within_limits.py`. It needs no network and ends by itself.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from retrace_core import stats, writer
from retrace_mw import Limits, RetraceMiddleware
from retrace_mw.deciders import Always


def shop(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """A WSGI application with a bug in one place."""
    if environ["PATH_INFO"] == "/pay":
        raise ValueError("no such currency")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"thank you"]


def request(app: Any, path: str) -> None:
    """Send one request, as a server would."""
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "shop"}
    try:
        chunks = app(environ, lambda status, headers, exc_info=None: lambda chunk: None)
        list(chunks)
        getattr(chunks, "close", int)()
    except ValueError:
        pass  # the server would answer 500


def main() -> None:
    """Send requests, and say what was recorded and what was not."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"RETRACE": "1", "RETRACE_RECORDING_PATH": folder}
        app = RetraceMiddleware(
            shop,
            service="shop",
            decide=Always(),
            limits=Limits(per_second=50, per_route_per_minute=20, per_failure_per_hour=3),
        )
        for _ in range(10):
            request(app, "/pay")  # one bug, ten times: three recordings of it are enough
        for number in range(100):
            request(app, f"/orders/{number}")  # one hot route, whatever the number
        for name in ("cart", "search", "login"):
            request(app, f"/{name}")  # others are recorded beside it
        writer.flush()
        recorded = len(list(Path(folder).glob("*/*/trace*.bin")))
    suppressed = {name: n for name, n in stats().items() if name.startswith("suppressed.")}
    print(f"{recorded} of 113 requests were recorded")
    for name, number in suppressed.items():
        print(f"{number} were not, for the limit {name.removeprefix('suppressed.')}")
    assert recorded == 3 + 20 + 3
    assert suppressed == {"suppressed.per_failure": 7, "suppressed.per_route": 80}


if __name__ == "__main__":
    main()
