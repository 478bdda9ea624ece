"""A real HTTP server on loopback, to be called and then stopped by the tests."""

from __future__ import annotations

import gzip
import json
import random
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Origin(BaseHTTPRequestHandler):
    """Answers by path; each answer holds a random number, so that no two are equal."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two packets: no waiting in between

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Answer as the path says."""
        body = json.dumps({"n": random.random(), "headers": dict(self.headers)}).encode()
        if self.path.startswith("/redirect"):
            self._answer(302, b"", Location="/json")
        elif self.path.startswith("/gzip"):
            self._answer(200, gzip.compress(body), Content_Encoding="gzip")
        elif self.path.startswith("/chunked"):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for _ in range(5):
                part = f"{random.random()}\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        elif self.path.startswith("/broken"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"not all of it")
            self.close_connection = True
        elif self.path.startswith("/hang"):
            time.sleep(1.0)
        elif self.path.startswith("/quote"):
            self._answer(200, quote(), Content_Type="application/json")
        else:
            if self.path.startswith("/slow"):
                time.sleep(random.random() * 0.03)
            status = 500 if self.path.startswith("/error") else 200
            self._answer(status, body, Content_Type="application/json")

    def do_POST(self) -> None:
        """Answer with the length of the body."""
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, json.dumps({"n": random.random(), "sent": len(sent)}).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def quote() -> bytes:
    """Return 2.2 KB of JSON, as a pricing service might answer."""
    lines = [
        {"sku": f"sku-{n}", "cents": random.randrange(10**5), "tax": round(random.random(), 4)}
        for n in range(46)
    ]
    return json.dumps({"currency": "EUR", "at": time.time(), "lines": lines}).encode()[:2200]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # twenty handlers that fan out to five calls connect at once


@contextmanager
def origin(
    handler: type[BaseHTTPRequestHandler] = Origin,
) -> Iterator[tuple[str, ThreadingHTTPServer]]:
    """Yield (address, server); the server is stopped at the end, if it is not yet."""
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
