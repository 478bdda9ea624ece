"""Libraries with a protocol of their own on an event loop, and no boundary."""

from __future__ import annotations

import asyncio
import socketserver
import threading
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import asyncssh
import dns.asyncresolver
import dns.message
import dns.rrset
import pytest
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.const import Cardinality, Handler
from grpclib.encoding.base import CodecBase
from grpclib.server import Server

from tests.boundaries.test_own_sockets import HOST, serving
from tests.recorded import assert_identical, record_asgi

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("on_either_loop")


@contextmanager
def on_a_loop(start: Callable[[AsyncExitStack], Awaitable[int]]) -> Iterator[int]:
    """Run a server on an event loop of its own until the block ends; give its port."""
    ready, ports = threading.Event(), list[int]()
    stops: list[Callable[[], object]] = []

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        stops.append(lambda: loop.call_soon_threadsafe(stop.set))
        async with AsyncExitStack() as stack:
            ports.append(await start(stack))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    assert ready.wait(20)
    try:
        yield ports[0]
    finally:
        stops[0]()
        thread.join(20)


def replayed(
    recordings: Path,
    start: Callable[[AsyncExitStack], Awaitable[int]],
    view: Callable[[int], Awaitable[Any]],
) -> bytes:
    """Record a handler that asks a server; replay it when that is gone; return the body."""
    with on_a_loop(start) as port:

        async def handle() -> Any:
            return await view(port)

        app, recording = record_asgi(recordings, handle, tasks=4)
    assert recording.holes == []
    assert recording.response is not None and recording.response.status == 200, recording.failure
    assert_identical(recording, app, times=2)
    return b"".join(recording.response.body)


class Raw(CodecBase):
    """A message is its bytes."""

    __content_subtype__ = "raw"

    def encode(self, message: Any, message_type: Any) -> bytes:
        """Return them."""
        return bytes(message)

    def decode(self, data: bytes, message_type: Any) -> bytes:
        """Return them."""
        return data


class Loud:
    """A service that says everything in capitals."""

    async def say(self, stream: Any) -> None:
        """Answer one call."""
        await stream.send_message((await stream.recv_message()).upper())

    def __mapping__(self) -> dict[str, Handler]:  # noqa: PLW3201  # its name there
        return {"/loud/Say": Handler(self.say, Cardinality.UNARY_UNARY, bytes, bytes)}


def test_grpclib(recordings: Path) -> None:
    """One call after another, and several at once over one connection."""

    async def start(stack: AsyncExitStack) -> int:
        server = Server([Loud()], codec=Raw())
        await server.start(HOST, 0)
        stack.push_async_callback(server.wait_closed)
        stack.callback(server.close)
        listening: Any = server._server
        return int(listening.sockets[0].getsockname()[1])

    async def view(port: int) -> list[str]:
        channel = Channel(HOST, port, codec=Raw())
        say: Any = UnaryUnaryMethod(channel, "/loud/Say", bytes, bytes)
        said = [repr(await say(word)) for word in (b"hello", b"again")]
        said += [repr(one) for one in await asyncio.gather(*(say(b"n%d" % n) for n in range(5)))]
        channel.close()
        return said

    assert b"HELLO" in replayed(recordings, start, view)


class Guests(asyncssh.SSHServer):
    """Lets in who knows the word."""

    def begin_auth(self, username: str) -> bool:
        """Ask for it."""
        return True

    def password_auth_supported(self) -> bool:
        """Return True."""
        return True

    def validate_password(self, username: str, password: str) -> bool:
        """Return whether it is that."""
        return password == "mellon"


def test_asyncssh(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are agreed on again, with the private key that was made.

    Nothing is masked: the names of SSH's ciphers look like addresses of mail.
    """
    monkeypatch.setenv("RETRACE_REDACT", "0")

    async def answer(process: Any) -> None:
        process.stdout.write(f"you said {process.command}\n")
        process.exit(3)

    async def start(stack: AsyncExitStack) -> int:
        key = asyncssh.generate_private_key("ssh-ed25519")
        server = await asyncssh.create_server(
            Guests, HOST, 0, server_host_keys=[key], process_factory=answer
        )
        stack.push_async_callback(server.wait_closed)
        stack.callback(server.close)
        return server.get_port()

    async def view(port: int) -> list[str]:
        options: Any = {"known_hosts": None, "config": None, "client_keys": None}
        options |= {"agent_path": None, "kex_algs": ["curve25519-sha256"]}
        async with asyncssh.connect(
            HOST, port, username="guest", password="mellon", **options
        ) as connection:
            done = await connection.run("hello")
        return [str(done.stdout), str(done.exit_status)]

    assert b"you said hello" in replayed(recordings, start, view)


class Names(socketserver.DatagramRequestHandler):
    """Knows the same address for every name."""

    def handle(self) -> None:
        """Answer one question."""
        asked = dns.message.from_wire(self.rfile.read())
        answer = dns.message.make_response(asked)
        name = asked.question[0].name
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "10.1.2.3"))
        self.wfile.write(answer.to_wire())


def test_dnspython(recordings: Path) -> None:
    """Its resolver of asyncio's; two names at once."""
    with serving(socketserver.ThreadingUDPServer, Names) as address:

        async def handle() -> list[str]:
            resolver = dns.asyncresolver.Resolver(configure=False)
            resolver.nameservers, resolver.port = [address[0]], address[1]
            names = ("shop.test", "other.test")
            found = await asyncio.gather(*(resolver.resolve(name, "A") for name in names))
            return [str(one.rrset) for one in found]

        app, recording = record_asgi(recordings, handle, tasks=4)
    assert recording.holes == []
    assert recording.response is not None and b"10.1.2.3" in b"".join(recording.response.body)
    assert_identical(recording, app)
