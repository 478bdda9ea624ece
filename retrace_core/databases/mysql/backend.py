"""Backend: a MySQL server's side of a connection on replay, for drivers that are in C.

Such a driver opens its connection itself, out of Python's reach. On replay it connects to a
`Backend`, over loopback and inside this process, which lets it in and says "yes" to whatever
was not recorded; what was recorded is given back above the driver.
"""

from __future__ import annotations

import socket
import threading
from typing import Any

from retrace_core.databases.mysql.packets import greeting, neutral, status_after
from retrace_core.lanes import mask
from retrace_core.sockets.local_listener import LocalListener

__all__ = ["Backend"]

_CONNECT_WITHIN_S = 30.0
_QUIT, _QUERY = 1, 3
_AUTOCOMMIT = 2


class Backend:
    """The server's end of one connection.

    Args:
        version: what the server says that it is.

    Attributes:
        port: where it listens, on 127.0.0.1.
    """

    def __init__(self, version: str) -> None:
        self._version = version
        self._listener = LocalListener(_CONNECT_WITHIN_S)
        self.port = self._listener.port
        with mask():
            threading.Thread(target=self._serve, name="retrace-mysql", daemon=True).start()

    def _serve(self) -> None:
        try:
            client = self._listener.client()
            with client, client.makefile("rb") as asked:
                client.settimeout(None)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.sendall(greeting(self._version))
                if _packet(asked):  # who logs in
                    _answer(client, asked)
        except OSError:
            return  # the client went away


def _answer(client: socket.socket, asked: Any) -> None:
    status = _AUTOCOMMIT
    while packet := _packet(asked):
        command, sql = packet[0], packet[1:].decode("utf-8", "replace")
        if command == _QUIT:
            return
        client.sendall(neutral(command, sql, status))
        if command == _QUERY:
            status = status_after(sql, status)


def _packet(asked: Any) -> bytes:
    """Return what the client says next; empty when it has gone."""
    size = int.from_bytes(asked.read(4)[:3], "little")
    said: bytes = asked.read(size)
    return said
