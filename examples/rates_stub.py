"""A third party: answers with exchange rates, each after a moment of its own.

Run alone: `python examples/rates_stub.py PORT`.
"""

from __future__ import annotations

import json
import random
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Rates(BaseHTTPRequestHandler):
    """GET /rate/EUR: a rate that is different each time."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer after up to 20 ms, so that several answers come in any order."""
        time.sleep(random.random() * 0.02)
        currency = self.path.rsplit("/", 1)[-1]
        body = json.dumps({"currency": currency, "rate": round(0.8 + random.random(), 4)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Rates).serve_forever()
