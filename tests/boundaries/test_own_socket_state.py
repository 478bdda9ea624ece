"""Own sockets: a client that keeps connections asks whether one is still there."""

from __future__ import annotations

import socket
import socketserver
from typing import TYPE_CHECKING

import pytest

from tests.boundaries.test_own_sockets import Lines, replayed

if TYPE_CHECKING:
    from pathlib import Path

_SIZE = 104
_ESTABLISHED, _CLOSE_WAIT = 1, 8


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="TCP tells of itself on Linux only")
def test_whether_the_other_end_has_closed_it(recordings: Path) -> None:
    """As urllib3-future asks; on replay nothing is connected, and it is told what it was told."""

    def view(address: tuple[str, int]) -> str:
        states = []
        with socket.create_connection(address, timeout=5) as connection:
            for line in (b"hello\n", b"bye\n"):
                connection.sendall(line)
                while not connection.recv(100).endswith(b"\n"):
                    pass
                if line == b"bye\n":
                    assert connection.recv(100) == b""
                said = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
                states.append(said[0])
        return repr(states)

    body = replayed(recordings, socketserver.ThreadingTCPServer, Lines, view)
    assert body == repr([_ESTABLISHED, _CLOSE_WAIT]).encode()
