"""asyncio's connections with a protocol of one's own: what is told to it is told again."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import ssl
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trustme
import uvloop

from tests.boundaries.test_own_sockets import HOST, TRUSTING, Datagrams, Lines, TlsServer, serving
from tests.recorded import identical_body, record_asgi

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.usefixtures("on_either_loop"),
    pytest.mark.filterwarnings("ignore:.*policy:DeprecationWarning"),
]


class LineClient(asyncio.Protocol):
    """Asks a line, and waits for one; keeps all that it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.lost = asyncio.get_running_loop().create_future()
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self.transport = transport
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        """Answer who asks."""
        self.told.append(repr(data))
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(data)

    def eof_received(self) -> None:
        """Take note of it."""
        self.told.append("eof")

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of it."""
        self.told.append(f"lost {exc!r}")
        self.lost.set_result(None)

    async def ask(self, line: bytes) -> bytes:
        """Return what is answered."""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(line)
        return await self._answer


def replayed(
    recordings: Path,
    view: Callable[[tuple[str, int]], Awaitable[Any]],
    server: type[Any] = socketserver.ThreadingTCPServer,
    handler: type[Any] = Lines,
) -> bytes:
    """Record a handler that asks a server; replay it when that is gone; return the body."""
    with serving(server, handler) as address:

        async def handle() -> Any:
            return await view(address)

        app, recording = record_asgi(recordings, handle, tasks=4)
    assert recording.holes == []
    return identical_body(recording, app)


@pytest.mark.parametrize("tls", [False, True])
def test_what_is_told_is_told_again(recordings: Path, tls: bool) -> None:
    """The connection, each line, the end, and that it is lost; over TLS in clear."""

    async def view(address: tuple[str, int]) -> list[str]:
        loop = asyncio.get_running_loop()
        options = {"ssl": TRUSTING} if tls else {}
        transport, client = await loop.create_connection(LineClient, *address, **options)
        assert transport.get_protocol() is client and transport is client.transport
        said = [await client.ask(b"hello\n"), await client.ask(b"again\n")]
        transport.writelines([b"b", b"ye\n"])
        await client.lost
        names = ("peername", "sockname", "cipher", "peercert", "none")
        return [repr(said), *client.told, *(repr(transport.get_extra_info(one)) for one in names)]

    body = replayed(recordings, view, TlsServer if tls else socketserver.ThreadingTCPServer)
    assert b"hello" in body and b"bye" in body and b"lost None" in body


def test_local_sockets(recordings: Path, tmp_path: Path) -> None:
    """Where they lead is a path."""
    path = str(tmp_path / "lines.sock")

    async def handle() -> list[str]:
        loop = asyncio.get_running_loop()
        transport, client = await loop.create_unix_connection(LineClient, path)
        said = [await client.ask(b"hello\n")]
        transport.close()
        await client.lost
        return [repr(said), *client.told]

    with socketserver.ThreadingUnixStreamServer(path, Lines) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        app, recording = record_asgi(recordings, handle, tasks=4)
        server.shutdown()
        thread.join()
    identical_body(recording, app)


def test_tls_that_begins_later(recordings: Path) -> None:
    """What is said before it, and after; `start_tls` that fails does so again."""

    async def view(address: tuple[str, int]) -> list[str]:
        loop = asyncio.get_running_loop()
        strangers = ssl.create_default_context()
        trustme.CA().configure_trust(strangers)
        transport, client = await loop.create_connection(LineClient, *address)
        try:
            await loop.start_tls(transport, client, strangers, server_hostname=HOST)
        except ssl.SSLCertVerificationError as error:
            refused = repr(error)
        transport, client = await loop.create_connection(LineClient, *address)
        told = transport.get_extra_info("cipher")
        client.transport = secured = await loop.start_tls(
            transport, client, TRUSTING, server_hostname=HOST
        )
        assert secured is not None and secured.get_protocol() is client
        said = [await client.ask(b"hello\n"), await client.ask(b"bye\n")]
        await client.lost
        tls = secured.get_extra_info("ssl_object")
        known = [tls.version(), tls.cipher(), tls.getpeercert(), tls.selected_alpn_protocol()]
        return [repr(told), repr(said), refused, repr(known), *client.told]

    body = replayed(recordings, view, TlsServer)
    assert b"SSLCertVerificationError" in body and b"bye" in body and b"TLS" in body


def test_nobody_listens(recordings: Path) -> None:
    """It fails again, in its turn."""

    async def view(_: object) -> str:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(LineClient, HOST, 9)
        except OSError as error:
            return repr(error)
        return ""

    assert b"ConnectionRefusedError" in replayed(recordings, view)


def test_several_at_once(recordings: Path) -> None:
    """In the order in which the answers came."""

    async def view(address: tuple[str, int]) -> list[str]:
        loop, found = asyncio.get_running_loop(), list[str]()

        async def ask(number: int) -> None:
            transport, client = await loop.create_connection(LineClient, *address)
            for turn in range(3):
                found.append((await client.ask(b"%d.%d\n" % (number, turn))).decode())
            transport.close()

        await asyncio.gather(*(ask(number) for number in range(8)))
        return found

    replayed(recordings, view)


class Collecting(asyncio.BufferedProtocol):
    """Gives a buffer into which a hundred bytes go at once."""

    def __init__(self) -> None:
        self.said = bytearray()
        self.lost = asyncio.get_running_loop().create_future()
        self._buffer = bytearray(100)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Return it."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Keep what is in it."""
        self.said += self._buffer[:nbytes]

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so."""
        self.lost.set_result(None)


def test_a_protocol_with_a_buffer_of_its_own(recordings: Path) -> None:
    """Also one that takes the place of another on a transport."""

    async def view(address: tuple[str, int]) -> list[str]:
        loop = asyncio.get_running_loop()
        transport, client = await loop.create_connection(LineClient, *address)
        said = await client.ask(b"hello\n")
        collecting = Collecting()
        transport.set_protocol(collecting)
        assert transport.get_protocol() is collecting
        transport.write(b"long " * 100 + b"\nbye\n")
        await collecting.lost
        return [repr(said), collecting.said.decode()]

    assert b"long long" in replayed(recordings, view)


class Deaf(socketserver.BaseRequestHandler):
    """Reads nothing until it is told so, then all of it; answers how much it was."""

    hears = threading.Event()

    def handle(self) -> None:
        """Read it all."""
        Deaf.hears.wait(20)
        size = 0
        while said := self.request.recv(1 << 20):
            size += len(said)
            if said.endswith(b"\n"):
                break
        self.request.sendall(b"%d\n" % size)


class Patient(LineClient):
    """Takes note of when it is to wait."""

    def pause_writing(self) -> None:
        """Have the other end read."""
        self.told.append("pause")
        Deaf.hears.set()

    def resume_writing(self) -> None:
        """Take note of it."""
        self.told.append("resume")


def test_when_enough_was_written(recordings: Path) -> None:
    """The protocol is told to wait within that write, and later to go on."""

    async def view(address: tuple[str, int]) -> list[str]:
        Deaf.hears.clear()
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(Patient, *address)
        return [repr(await client.ask(b"x" * (1 << 24) + b"\n")), *client.told]

    body = replayed(recordings, view, handler=Deaf)
    assert b"pause" in body and b"resume" in body


class DatagramClient(asyncio.DatagramProtocol):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[str] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Keep it."""
        self.told.put_nowait(f"{data!r} of {addr}")

    def error_received(self, exc: Exception) -> None:
        """Keep it."""
        self.told.put_nowait(repr(exc))


def test_datagrams(recordings: Path) -> None:
    """To one other end, to any, and to nobody."""

    async def view(address: tuple[str, int]) -> list[str]:
        loop, said = asyncio.get_running_loop(), list[str]()
        one, client = await loop.create_datagram_endpoint(DatagramClient, remote_addr=address)
        one.sendto(b"hello")
        said.append(await client.told.get())
        some, client = await loop.create_datagram_endpoint(DatagramClient, local_addr=(HOST, 0))
        some.sendto(b"again", address)
        said += [await client.told.get(), repr(some.get_extra_info("sockname"))]
        none, client = await loop.create_datagram_endpoint(DatagramClient, remote_addr=(HOST, 9))
        none.sendto(b"nobody")
        said.append(await client.told.get())
        for transport in (one, some, none):
            transport.close()
        return said

    body = replayed(recordings, view, socketserver.ThreadingUDPServer, Datagrams)
    assert b"HELLO" in body and b"AGAIN" in body and b"ConnectionRefused" in body


def test_anyio(recordings: Path) -> None:
    """Its streams are made of a protocol of its own."""

    async def view(address: tuple[str, int]) -> list[str]:
        async with await anyio.connect_tcp(*address) as stream:
            await stream.send(b"hello\n")
            said = [await stream.receive()]
            await stream.send(b"bye\n")
            said.append(await stream.receive())
            with pytest.raises(anyio.EndOfStream):
                await stream.receive()
            port = stream.extra(anyio.abc.SocketAttribute.remote_port)
        return [repr(said), str(port == address[1])]

    body = replayed(recordings, view)
    assert b"hello" in body and b"True" in body


def test_a_protocol_that_starts_tasks(recordings: Path) -> None:
    """What they ask is in lanes of theirs, as that of the request's own tasks is."""

    class Spawning(LineClient):
        def data_received(self, data: bytes) -> None:
            task = asyncio.get_running_loop().create_task(self.work(data))
            task.add_done_callback(lambda done: super(Spawning, self).data_received(done.result()))

        async def work(self, data: bytes) -> bytes:
            return data + str(time.time()).encode() + str(uuid.uuid4()).encode()

    async def view(address: tuple[str, int]) -> list[str]:
        loop = asyncio.get_running_loop()
        transport, client = await loop.create_connection(Spawning, *address)
        said = [repr(await client.ask(b"hello\n")) for _ in range(3)]
        transport.close()
        return said

    replayed(recordings, view)


def test_sockets_that_the_loop_reads(recordings: Path) -> None:
    """Those that do not block: connected, or of datagrams; into a buffer; and to nobody."""

    async def view(address: tuple[str, int]) -> list[str]:
        loop, said = asyncio.get_running_loop(), list[object]()
        with socket.socket() as nobody:
            nobody.setblocking(False)
            try:
                await loop.sock_connect(nobody, (HOST, 9))
            except OSError as error:
                said.append(type(error))
        with socket.socket() as own:
            own.setblocking(False)
            await loop.sock_connect(own, address)
            await loop.sock_sendall(own, b"hello\n")
            said.append(await loop.sock_recv(own, 100))
            buffer = bytearray(100)
            await loop.sock_sendall(own, b"bye\n")
            said += [await loop.sock_recv_into(own, buffer), bytes(buffer), own.getpeername()]
            said.append(await loop.sock_recv(own, 100))
        return [repr(one) for one in said]

    body = replayed(recordings, view)
    assert b"ConnectionRefused" in body and b"hello" in body and b"bye" in body


def test_datagrams_that_the_loop_reads(recordings: Path) -> None:
    """With where they come from; uvloop can't."""
    if isinstance(asyncio.get_event_loop_policy(), uvloop.EventLoopPolicy):
        return

    async def view(address: tuple[str, int]) -> list[str]:
        loop, said = asyncio.get_running_loop(), list[object]()
        with socket.socket(type=socket.SOCK_DGRAM) as own:
            own.setblocking(False)
            await loop.sock_sendto(own, b"hello", address)
            said.append(await loop.sock_recvfrom(own, 100))
            buffer = bytearray(100)
            await loop.sock_sendto(own, b"again", address)
            said += [await loop.sock_recvfrom_into(own, buffer), bytes(buffer)]
        return [repr(one) for one in said]

    body = replayed(recordings, view, socketserver.ThreadingUDPServer, Datagrams)
    assert b"HELLO" in body and b"AGAIN" in body
