"""Sockets that no boundary stands above: what goes over them is recorded, and they are gone."""

from __future__ import annotations

import http.server
import logging
import logging.handlers
import socket
import socketserver
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dns.message
import dns.resolver
import dns.rrset
import pytest
import trustme

from retrace_core import installer, load
from retrace_core.boundary import mask
from retrace_core.sockets.own_socket import OwnSocket, OwnTlsSocket
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOST = "127.0.0.1"
AUTHORITY = trustme.CA()
TRUSTING = ssl.create_default_context()
AUTHORITY.configure_trust(TRUSTING)


class Lines(socketserver.StreamRequestHandler):
    """Answers each line with its number and itself."""

    count = 0

    def handle(self) -> None:
        """Answer one connection."""
        for line in self.rfile:
            Lines.count += 1
            self.wfile.write(b"%d " % Lines.count + line)
            if line == b"bye\n":
                return


class Datagrams(socketserver.DatagramRequestHandler):
    """Answers each datagram with its letters in capitals and a number."""

    def handle(self) -> None:
        """Answer one."""
        Lines.count += 1
        self.wfile.write(self.rfile.read().upper() + b" %d" % Lines.count)


class TlsServer(socketserver.ThreadingTCPServer):
    """Speaks TLS."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(HOST).configure_cert(context)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection."""
        accepted, address = super().get_request()
        return self.context.wrap_socket(accepted, server_side=True), address


@contextmanager
def serving(server: type[Any], handler: type[Any]) -> Iterator[tuple[str, int]]:
    """Serve until the block ends; give the address."""
    with server((HOST, 0), handler) as made:
        made.daemon_threads = True
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield HOST, made.server_address[1]
        finally:
            made.shutdown()
            thread.join()


def replayed(
    recordings: Path, server: type[Any], handler: type[Any], view: Callable[[tuple[str, int]], Any]
) -> bytes:
    """Record a view that asks a server; replay it when that is gone; return the body."""
    with serving(server, handler) as address:
        app, recording = record_wsgi(recordings, lambda: view(address))
    assert recording.holes == []
    assert_identical(recording, app)
    assert recording.response is not None and recording.response.status == 200
    return b"".join(recording.response.body)


def test_lines_to_and_fro(recordings: Path) -> None:
    """By a file of it, into a buffer, all at once, and the end."""

    def view(address: tuple[str, int]) -> list[str]:
        with socket.create_connection(address, timeout=5) as connection:
            assert type(connection) is OwnSocket
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            names = [connection.getsockname(), connection.getpeername()]
            connection.sendall(b"hello\n")
            file = connection.makefile("rwb")
            said = [file.readline()]
            file.write(b"again\n")
            file.flush()
            said.append(file.readline())
            connection.send(b"bye\n")
            buffer = bytearray(3)
            count = connection.recv_into(buffer)
            said.append(bytes(buffer[:count]))
            while part := connection.recv(100):
                said.append(part)
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                said.append(repr(error).encode())
        return [repr(said), repr(names)]

    body = replayed(recordings, socketserver.ThreadingTCPServer, Lines, view)
    assert b"hello" in body and b"again" in body and b"ye" in body


def test_the_options_of_tcp_can_be_read(recordings: Path) -> None:
    """As clients do that set all those they find: py-amqp, below kombu."""

    def view(address: tuple[str, int]) -> bytes:
        with socket.create_connection(address, timeout=5) as connection:
            for option in (socket.TCP_MAXSEG, socket.TCP_NODELAY):
                found = connection.getsockopt(socket.IPPROTO_TCP, option)
                connection.setsockopt(socket.IPPROTO_TCP, option, found)
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
            connection.sendall(b"bye\n")
            return connection.recv(100)

    assert b"bye" in replayed(recordings, socketserver.ThreadingTCPServer, Lines, view)


def test_an_end_of_ones_own_before_connecting(recordings: Path) -> None:
    """A socket is bound to any port of this machine first, as ldap3 does it."""

    def view(address: tuple[str, int]) -> str:
        with socket.socket() as connection:
            connection.bind(("", 0))
            connection.connect(address)
            connection.sendall(b"hello\n")
            return connection.recv(100).decode()

    body = replayed(recordings, socketserver.ThreadingTCPServer, Lines, view)
    assert body.endswith(b"hello\n")


def test_failures_are_raised_again(recordings: Path) -> None:
    """Nobody listens, nobody answers in time, the other end has gone."""

    def view(address: tuple[str, int]) -> list[str]:
        found = []
        try:
            socket.create_connection((HOST, 9), timeout=5)
        except OSError as error:
            found.append(repr(error))
        with socket.socket() as asking:
            found.append(str(asking.connect_ex((HOST, 9))))
        with socket.create_connection(address, timeout=0.05) as connection:
            try:
                connection.recv(10)
            except TimeoutError as error:
                found.append(repr(error))
            connection.sendall(b"bye\n")
            while connection.recv(10):
                pass
        return found

    body = replayed(recordings, socketserver.ThreadingTCPServer, Lines, view)
    assert b"ConnectionRefusedError" in body and b"TimeoutError" in body


def test_a_datagram_and_its_answer(recordings: Path) -> None:
    """To an address, and to the one that the socket is connected with; nobody need answer."""

    def view(address: tuple[str, int]) -> list[str]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5)
            asking.sendto(b"to an address", address)
            said = [asking.recvfrom(100)]
            asking.connect(address)
            asking.send(b"connected")
            said.append((asking.recv(100), None))
            asking.sendto(b"nobody waits", address)
        return [repr(said)]

    body = replayed(recordings, socketserver.ThreadingUDPServer, Datagrams, view)
    assert b"TO AN ADDRESS" in body and b"CONNECTED" in body


@pytest.mark.parametrize("before", [True, False], ids=["connected before", "connected after"])
def test_tls_is_recorded_in_clear(recordings: Path, before: bool) -> None:
    """No handshake is replayed; what is known of it is recorded."""

    def view(address: tuple[str, int]) -> list[str]:
        if before:
            made = TRUSTING.wrap_socket(
                socket.create_connection(address, timeout=5), server_hostname=HOST
            )
        else:
            made = TRUSTING.wrap_socket(socket.socket(), server_hostname=HOST)
            made.settimeout(5)
            made.connect(address)
        with made as connection:
            assert type(connection) is OwnTlsSocket
            known = [connection.version(), connection.cipher(), connection.getpeercert()]
            connection.sendall(b"hello\n")
            said = [connection.makefile("rb").readline(), connection.write(b"bye\n")]
            while part := connection.read(100):
                said.append(part)
            return [repr(said), repr(known)]

    body = replayed(recordings, TlsServer, Lines, view)
    assert b"hello" in body and b"TLSv1" in body and HOST.encode() in body


def test_a_certificate_that_nobody_trusts(recordings: Path) -> None:
    """The failure of the handshake is raised again."""

    def view(address: tuple[str, int]) -> str:
        with socket.create_connection(address, timeout=5) as connection:
            try:
                ssl.create_default_context().wrap_socket(connection, server_hostname=HOST)
            except ssl.SSLCertVerificationError as error:
                return repr(error)
        return "trusted"

    body = replayed(recordings, TlsServer, Lines, view)
    assert b"SSLCertVerificationError" in body


def test_a_connection_that_an_earlier_request_made(recordings: Path) -> None:
    """A pool's: the replay makes it anew, and is answered as the later request was."""
    pool: list[socket.socket] = []

    def view(address: tuple[str, int]) -> str:
        if not pool:
            pool.append(socket.create_connection(address, timeout=5))
        pool[0].sendall(b"hello\n")
        return pool[0].recv(100).decode()

    installer.install()
    with serving(socketserver.ThreadingTCPServer, Lines) as address:
        view(address)
        app, recording = record_wsgi(recordings, lambda: view(address))
        pool.pop().close()
    assert_identical(recording, app, times=1)
    pool.pop().close()


def test_a_client_that_looks_where_it_is_connected_to(recordings: Path) -> None:
    """The recorded request had its connection from an earlier one; a replay makes one, and asks."""
    kept: list[socket.socket] = []

    def view(address: tuple[str, int]) -> str:
        if not kept:
            connection = socket.create_connection(address, timeout=5)
            assert connection.getpeername()[0] == connection.getsockname()[0] == HOST
            kept.append(connection)
        kept[0].sendall(b"hello\n")
        return kept[0].recv(100).decode()

    installer.install()
    with serving(socketserver.ThreadingTCPServer, Lines) as address:
        view(address)
        app, recording = record_wsgi(recordings, lambda: view(address))
        kept.pop().close()
    assert_identical(recording, app, times=1)
    kept.pop().close()


def test_what_is_logged_is_none_of_it(recordings: Path) -> None:
    """To whom a logger's handler sends is not the request's business; nor is it in a replay."""
    logger = logging.getLogger("own sockets")

    def view(address: tuple[str, int]) -> str:
        handler = logging.handlers.DatagramHandler(*address)
        logger.addHandler(handler)
        logger.warning("logged")
        logger.removeHandler(handler)
        handler.close()
        return "logged"

    replayed(recordings, socketserver.ThreadingUDPServer, Datagrams, view)


def test_dnspython_waits_as_it_did(recordings: Path) -> None:
    """Its socket does not block: it asks, finds nothing, waits by a selector, asks again."""
    asked = threading.Event()

    class Names(socketserver.DatagramRequestHandler):
        def handle(self) -> None:
            question = dns.message.from_wire(self.rfile.read())
            answer = dns.message.make_response(question)
            name = question.question[0].name
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.7"))
            assert asked.wait(5)
            self.wfile.write(answer.to_wire())

    class Resolver(dns.resolver.Resolver):
        def __init__(self, address: tuple[str, int]) -> None:
            super().__init__(configure=False)
            self.nameservers, self.port = [address[0]], address[1]

    def view(address: tuple[str, int]) -> list[str]:
        timer = threading.Timer(0.05, asked.set)
        with mask():
            timer.start()
        return [str(one) for one in Resolver(address).resolve("shop.example", "A")]

    assert b"192.0.2.7" in replayed(recordings, socketserver.ThreadingUDPServer, Names, view)


class Login(socketserver.StreamRequestHandler):
    """Asks for a name and a password, as SMTP does, and takes FTP's command as well."""

    def handle(self) -> None:
        """Answer one connection."""
        for line in self.rfile:
            self.wfile.write(b"334 VXNlcm5hbWU6\r\n" if line.startswith(b"AUTH") else b"235 ok\r\n")


def test_a_login_is_kept_by_its_command_alone(recordings: Path) -> None:
    """Neither the password of a command is in the recording, nor what answers a challenge."""

    def view(address: tuple[str, int]) -> str:
        with socket.create_connection(address, timeout=5) as connection:
            file = connection.makefile("rb")
            for line in (
                b"PASS hidden-one",
                b"a1 LOGIN ann hidden-two",
                b"AUTH LOGIN",
                b"hidden-3",
            ):
                connection.sendall(line + b"\r\n")
                said = file.readline()
            file.close()
        return said.decode()

    assert replayed(recordings, socketserver.ThreadingTCPServer, Login, view) == b"235 ok\r\n"
    (path,) = recordings.glob("*/*/trace.bin")
    kept = [str(event.key) for lane in load(path).lanes for event in lane.events]
    assert (
        sum("socket.send" in str(event.kind) for lane in load(path).lanes for event in lane.events)
        == 4
    )
    assert not any("hidden" in key for key in kept)


def test_a_request_that_serves(recordings: Path) -> None:
    """What connects to it, or sends it a datagram, is there again; so is the port it got."""

    def view() -> list[str]:
        with socket.socket() as own, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            own.bind((HOST, 0))
            own.listen()
            datagrams.bind((HOST, 0))
            address, port = own.getsockname(), datagrams.getsockname()[1]
            with socket.create_connection(address) as client:
                accepted, source = own.accept()
                with accepted:
                    client.sendall(b"hello")
                    said = [accepted.recv(100), source == client.getsockname()]
                    accepted.sendall(b"thanks")
                said.append(client.recv(100))
            datagrams.sendto(b"to itself", (HOST, port))
            said += [datagrams.recvfrom(100), address]
        return [repr(one) for one in said]

    app, recording = record_wsgi(recordings, view)
    assert recording.holes == []
    assert recording.response is not None and recording.response.status == 200, recording.failure
    assert b"thanks" in b"".join(recording.response.body)
    assert_identical(recording, app)


def test_a_request_that_waits_to_be_called_back(recordings: Path) -> None:
    """By a server of the standard library's, as tools do that log in by a browser."""

    class Callback(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            called.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    def call(address: tuple[str, int]) -> None:
        with socket.create_connection(address) as client:
            client.sendall(b"GET /?code=17 HTTP/1.0\r\n\r\n")
            client.recv(100)

    def view() -> list[str]:
        called.clear()
        with http.server.HTTPServer((HOST, 0), Callback) as server:
            address = (HOST, server.server_address[1])
            if records:
                with mask():
                    thread = threading.Thread(target=call, args=(address,))
                    thread.start()
            server.handle_request()
        return [*called, repr(address)]

    called, records = list[str](), [True]
    app, recording = record_wsgi(recordings, view)
    records.clear()
    assert recording.response is not None and recording.response.status == 200, recording.failure
    assert b"code=17" in b"".join(recording.response.body)
    assert_identical(recording, app)
