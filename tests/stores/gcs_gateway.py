"""A gateway before fake-gcs-server, which has no deletes, and no conditions, in the XML API.

A put and a delete become ones by the JSON API, where it has them; all else passes through.
"""

from __future__ import annotations

import http.client
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Gateway"]

_HOP = ("connection", "transfer-encoding", "content-length", "keep-alive", "date", "server")


class Gateway:
    """The gateway, on a port of its own.

    Args:
        port: its own.
        behind: the server's.
    """

    def __init__(self, port: int, behind: int) -> None:
        class Handler(_Handler):
            target = behind

        self._server = _Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that have gone."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    target = 0

    def do_PUT(self) -> None:
        """Put by the JSON API, with the condition."""
        body = self._body()
        bucket, _, name = self.path.partition("?")[0].lstrip("/").partition("/")
        asked = {"uploadType": "multipart", "name": urllib.parse.unquote(name)}
        if condition := self.headers.get("x-goog-if-generation-match"):
            asked["ifGenerationMatch"] = condition
        path = f"/upload/storage/v1/b/{bucket}/o?{urllib.parse.urlencode(asked)}"
        head = b'--=x\r\nContent-Type: application/json\r\n\r\n{"name": %b}\r\n--=x\r\n'
        parts = head % json.dumps(asked["name"]).encode()
        parts += b"Content-Type: application/octet-stream\r\n\r\n" + body + b"\r\n--=x--\r\n"
        kind = {"Content-Type": 'multipart/related; boundary="=x"'}
        status, _, said = self._ask("POST", path, parts, kind)
        made = json.loads(said) if status == 200 else {}
        kept: list[tuple[str, str]] = []
        if made:
            kept = [("ETag", f'"{made["etag"]}"'), ("x-goog-generation", made["generation"])]
        self._answer(status, kept, b"" if made else said)

    def do_DELETE(self) -> None:
        """Delete by the JSON API: by the other the server can't."""
        bucket, _, name = self.path.partition("?")[0].lstrip("/").partition("/")
        quoted = urllib.parse.quote(urllib.parse.unquote(name), safe="")
        self._answer(*self._ask("DELETE", f"/storage/v1/b/{bucket}/o/{quoted}", b"", {}))

    def _pass(self) -> None:
        self._answer(*self._ask(self.command, self.path, self._body(), dict(self.headers.items())))

    do_GET = do_HEAD = do_POST = _pass

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _ask(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=30)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            said = answer.read()
            kept = [one for one in answer.getheaders() if one[0].lower() not in _HOP]
            if method == "HEAD":
                kept.append(("Content-Length", answer.headers.get("Content-Length", "0")))
            return answer.status, kept, said
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
