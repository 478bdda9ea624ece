"""A server of nobody's, for applications of WSGI: one request after the other, by bare sockets."""

from __future__ import annotations

import io
import selectors
import socket
import sys
import threading
from typing import Any


def serve(port: int, app: Any, *, in_thread: bool = False) -> None:
    """Serve for ever, on a thread that is waited for if told so."""
    listening = socket.create_server(("127.0.0.1", port))
    if in_thread:
        listening.setblocking(False)
        thread = threading.Thread(target=_accept, args=(listening, app, True))
        thread.start()
        thread.join()
    else:
        _accept(listening, app, False)


def _accept(listening: socket.socket, app: Any, selecting: bool) -> None:
    with selectors.DefaultSelector() as selector:
        if selecting:
            selector.register(listening, selectors.EVENT_READ)
        while True:
            if selecting:
                selector.select()
            connection, _ = listening.accept()
            with connection:
                connection.setblocking(True)
                _answer(connection, app)


def _answer(connection: socket.socket, app: Any) -> None:
    asked = b""
    while b"\r\n\r\n" not in asked:
        got = connection.recv(65536)
        if not got:
            return
        asked += got
    first, *lines = asked.decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")
    method, target, protocol = first.split()
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": protocol,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for line in lines:
        name, _, value = line.partition(":")
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value.strip()
    begun: list[Any] = []
    chunks = app(environ, lambda *given: begun.append(given))
    body = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    status, headers = begun[0][:2]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    connection.sendall(f"HTTP/1.0 {status}\r\n{head}\r\n".encode("latin-1") + body)
