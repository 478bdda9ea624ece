"""A listener of a stand-in, past the hooks of sockets.

While a program is started again its sockets are bound in name only: a stand-in of a database, to
which a client in C connects, must be bound for real.
"""

from __future__ import annotations

import _socket
import socket
from typing import Any

__all__ = ["LocalListener"]


class LocalListener:
    """Listens on 127.0.0.1 for one client.

    Args:
        within_s: for so long, in seconds, it waits for one.

    Attributes:
        port: where it listens.
    """

    def __init__(self, within_s: float) -> None:
        # The interpreter's own class: that of the standard library may be hooked.
        self._socket: Any = _socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(1)
        self._socket.settimeout(within_s)
        self.port: int = self._socket.getsockname()[1]

    def client(self) -> socket.socket:
        """Return the socket of the client that connects, and listen for no other.

        Raises:
            OSError: none has come in time, or it was closed.
        """
        try:
            number, _ = self._socket._accept()
        finally:
            self._socket.close()
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=number)

    def close(self) -> None:
        """Listen no more; who waits for a client is told."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
