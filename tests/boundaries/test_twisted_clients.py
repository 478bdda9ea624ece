"""Twisted's clients: it serves as well, and what it connects to is asked for by the application."""

from __future__ import annotations

import socketserver
from typing import TYPE_CHECKING, Any

from tests.boundaries.test_own_sockets import Lines, replayed

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_to_and_fro(recordings: Path) -> None:
    """By a reactor of the request's own, which waits by `epoll` until it is connected."""
    from twisted.internet.epollreactor import EPollReactor
    from twisted.internet.protocol import ClientFactory
    from twisted.protocols.basic import LineOnlyReceiver

    def view(address: tuple[str, int]) -> list[str]:
        reactor: Any = EPollReactor()
        said: list[str] = []

        class Client(LineOnlyReceiver):
            delimiter = b"\n"

            def connectionMade(self) -> None:  # noqa: N802  # as Twisted calls it
                self.sendLine(b"hello")

            def lineReceived(self, line: bytes) -> None:  # noqa: N802
                said.append(line.decode())
                if line.endswith(b"bye"):
                    reactor.stop()
                else:
                    self.sendLine(b"bye")

        reactor.connectTCP(*address, ClientFactory.forProtocol(Client))
        reactor.run(installSignalHandlers=False)
        return said

    body = replayed(recordings, socketserver.ThreadingTCPServer, Lines, view)
    assert b"hello" in body and b"bye" in body
