"""Deciding across services: what the first service decides, the one behind it follows.

Two services, in one process here: `storefront` draws one request in two, and `pricing` asks
what its caller decided. So each trace is in both folders or in none.

    python examples/deciding_across_services.py
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx

from retrace_core import writer
from retrace_mw import RetraceMiddleware, extract, inject
from retrace_mw.deciders import SampleRate, UpstreamDecision


def pricing(environ: Any, start_response: Any) -> list[bytes]:
    """Tell the price."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"100"]


def storefront(environ: Any, start_response: Any) -> list[bytes]:
    """Ask for the price, by HTTP: the trace and the decision go along by themselves."""
    price = httpx.get(environ["shop.pricing"], verify=False).content
    message: dict[str, str] = {}
    inject(message)  # a message of a queue needs this call, and `extract` where it is read
    assert extract(message).upstream in ("yes", "no")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [price]


class Quiet(WSGIRequestHandler):
    """A server that writes no access log."""

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


def main() -> None:
    """Send twenty requests, and show which traces were recorded where."""
    with tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {"enabled": True, "recording_path": folder}
        front = RetraceMiddleware(
            storefront, service="storefront", decide=SampleRate(0.5), **options
        )
        # At the edge nobody has decided yet: UpstreamDecision(SampleRate(0.5)) would draw there.
        behind = RetraceMiddleware(pricing, service="pricing", decide=UpstreamDecision(), **options)
        with make_server("127.0.0.1", 0, behind, handler_class=Quiet) as server:
            threading.Thread(target=server.serve_forever, args=(0.01,)).start()
            environ = {"shop.pricing": f"http://127.0.0.1:{server.server_port}/"}
            for _ in range(20):
                request = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", **environ}
                chunks = front(request, lambda *_: None)
                assert list(chunks) == [b"100"]
                getattr(chunks, "close", int)()
            server.shutdown()
        writer.flush()
        for trace in sorted({file.parent.parent for file in Path(folder).glob("*/*/trace.bin")}):
            print(trace.name, *sorted(one.name for one in trace.iterdir()))
            assert {one.name for one in trace.iterdir()} == {"storefront", "pricing"}


if __name__ == "__main__":
    main()
