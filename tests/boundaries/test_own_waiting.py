"""Sockets that do not block, for which a library waits by itself: who was ready is told again."""

from __future__ import annotations

import errno
import os
import queue
import select
import selectors
import socket
import socketserver
import ssl
import threading
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.sockets.own_socket import OwnSocket
from tests.boundaries.test_own_sockets import (
    HOST,
    TRUSTING,
    Lines,
    TlsServer,
    replayed,
)
from tests.recorded import answered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Address = tuple[str, int]


def by_select(own: socket.socket, *, writes: bool = False) -> int:
    """Wait by `select`; return how many were ready."""
    asked = [own.fileno()]
    ready = select.select([] if writes else asked, asked if writes else [], [], 5)
    return sum(map(len, ready))


def by_poll(own: socket.socket, *, writes: bool = False) -> int:
    """Wait by `poll`."""
    poll = select.poll()
    poll.register(own, select.POLLOUT if writes else select.POLLIN)
    return len(poll.poll(5000))


def by_epoll(own: socket.socket, *, writes: bool = False) -> int:
    """Wait by `epoll`."""
    with select.epoll() as epoll:
        epoll.register(own.fileno(), select.EPOLLIN)
        epoll.modify(own.fileno(), select.EPOLLOUT if writes else select.EPOLLIN)
        return len(epoll.poll(5))


def by_selector(own: socket.socket, *, writes: bool = False) -> int:
    """Wait by what `selectors` holds best."""
    with selectors.DefaultSelector() as selector:
        selector.register(own, selectors.EVENT_WRITE if writes else selectors.EVENT_READ)
        return len(selector.select(5))


def connected(address: Address, wait: Callable[..., int] = by_select) -> socket.socket:
    """Return a socket that does not block, once it is connected."""
    own = socket.socket()
    own.setblocking(False)
    with pytest.raises(BlockingIOError):
        own.connect(address)
    assert type(own) is OwnSocket
    wait(own, writes=True)
    assert own.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    return own


@pytest.mark.parametrize("wait", [by_select, by_poll, by_epoll, by_selector])
def test_each_way_to_wait(recordings: Path, wait: Callable[..., int]) -> None:
    """Until it is connected, and until an answer is there; nothing is there before."""

    def view(address: Address) -> list[str]:
        with connected(address, wait) as own:
            with pytest.raises(BlockingIOError):
                own.recv(100)
            own.send(b"hello\n")
            return [str(wait(own)), repr(own.recv(100))]

    assert b"hello" in replayed(recordings, socketserver.ThreadingTCPServer, Lines, view)


def test_who_of_two_was_ready_first(recordings: Path) -> None:
    """The second one is asked first, and answers first."""

    def view(address: Address) -> list[str]:
        said = []
        with connected(address) as first, connected(address) as second:
            with selectors.DefaultSelector() as selector:
                for name, own in (("first", first), ("second", second)):
                    selector.register(own, selectors.EVENT_READ, name)
                for own in (second, first):
                    own.send(b"hello\n")
                    for key, _ in selector.select(5):
                        said += [str(key.data), repr(own.recv(100))]
        return said

    body = replayed(recordings, socketserver.ThreadingTCPServer, Lines, view)
    assert body.index(b"second") < body.index(b"first")


def test_waiting_in_vain(recordings: Path) -> None:
    """Nobody answers who was not asked: the wait ends as it did."""

    def view(address: Address) -> list[str]:
        with connected(address) as own:
            return [repr(select.select([own], [], [], 0.01))]

    assert b"[]" in replayed(recordings, socketserver.ThreadingTCPServer, Lines, view)


def test_nobody_listens(recordings: Path) -> None:
    """The failure is the socket's own; a failure of `connect_ex` is its outcome."""

    def view() -> list[str]:
        with socket.socket() as nobody:
            nobody.bind((HOST, 0))
            address = nobody.getsockname()
        with socket.socket() as own, socket.socket() as local:
            own.setblocking(False)
            begun = own.connect_ex(address)
            by_select(own, writes=True)
            failed = own.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            local.setblocking(False)
            return [errno.errorcode[begun], os.strerror(failed), str(local.connect_ex((HOST, 0)))]

    found = answered(recordings, view)
    assert found[:2] == ["EINPROGRESS", "Connection refused"]


class InBackground:
    """A client with a thread of its own, that is woken by a pair of sockets."""

    def __init__(self, address: Address) -> None:
        self.own = connected(address)
        self.wakes, self.woken = socket.socketpair()
        self.asked: list[bytes | None] = []
        self.said: queue.Queue[bytes] = queue.Queue()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        """Send what is asked, and take what is answered, until None is asked."""
        with self.own, self.woken, selectors.DefaultSelector() as selector:
            selector.register(self.own, selectors.EVENT_READ)
            selector.register(self.woken, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(5):
                    if key.fileobj is self.own:
                        self.said.put(self.own.recv(100))
                        continue
                    self.woken.recv(1)
                    line = self.asked.pop(0)
                    if line is None:
                        return
                    self.own.send(line)

    def ask(self, line: bytes | None) -> None:
        """Have it sent, or end for None."""
        self.asked.append(line)
        self.wakes.send(b"!")


def test_a_thread_that_waits_for_the_socket_and_for_the_request(recordings: Path) -> None:
    """A request's other threads wake it as they did: by what is no event at all."""

    def view(address: Address) -> list[str]:
        client = InBackground(address)
        said = []
        for line in (b"hello\n", b"again\n"):
            client.ask(line)
            said.append(repr(client.said.get(timeout=5)))
        client.ask(None)
        client.thread.join()
        client.wakes.close()
        return said

    body = replayed(recordings, socketserver.ThreadingTCPServer, Lines, view)
    assert b"hello" in body and b"again" in body


def handshaken(secured: Any, wait: Callable[[], object]) -> None:
    """Agree on keys without blocking."""
    while True:
        try:
            secured.do_handshake()
        except ssl.SSLWantReadError:
            wait()
        else:
            return


def test_tls_that_does_not_block(recordings: Path) -> None:
    """What it wants to wait for is as it was."""

    def view(address: Address) -> list[str]:
        plain = connected(address)
        with TRUSTING.wrap_socket(
            plain, server_hostname=HOST, do_handshake_on_connect=False
        ) as own:
            handshaken(own, lambda: by_select(own))
            own.send(b"hello\n")
            while True:
                try:
                    return [repr(own.recv(100))]
                except ssl.SSLWantReadError:
                    by_select(own)

    assert b"hello" in replayed(recordings, TlsServer, Lines, view)


def test_tls_that_a_library_makes_by_itself(recordings: Path) -> None:
    """It is recorded in clear, and the bytes that it made are sent and received again."""

    def view(address: Address) -> list[str]:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secured = TRUSTING.wrap_bio(incoming, outgoing, server_hostname=HOST)
        with socket.create_connection(address, timeout=5) as own:

            def exchange() -> None:
                own.sendall(outgoing.read())
                incoming.write(own.recv(65536))

            handshaken(secured, exchange)
            secured.write(b"hello\n")
            while True:
                exchange()
                try:
                    return [repr(secured.read(100)), str(secured.version())]
                except ssl.SSLWantReadError:
                    continue

    body = replayed(recordings, TlsServer, Lines, view)
    assert b"hello" in body and b"TLSv1" in body


def test_a_poll_that_takes_the_place_of_another(recordings: Path) -> None:
    """A library makes one for each waiting: it does not wait for what the last one waited for."""

    def view(address: Address) -> list[str]:
        said = []
        with connected(address) as first, connected(address) as second:
            for own in (first, second):
                own.send(b"hello\n")
                said += [str(by_poll(own)), repr(own.recv(100))]
        return said

    assert b"hello" in replayed(recordings, socketserver.ThreadingTCPServer, Lines, view)


def test_a_pair_that_one_function_makes_by_a_listener(recordings: Path) -> None:
    """Its ends block while it is made, as pika's: it reaches nobody, and is no event."""

    def view() -> list[str]:
        with socket.socket() as listener, socket.socket() as one:
            listener.bind((HOST, 0))
            listener.listen(1)
            one.connect(listener.getsockname())
            other, _ = listener.accept()
            with other:
                one.sendall(b"hello")
                return [repr(other.recv(100))]

    assert answered(recordings, view) == ["b'hello'"]
