"""asyncio's streams that no boundary stands above: what goes over them comes back."""

from __future__ import annotations

import asyncio
import socketserver
import ssl
from typing import TYPE_CHECKING, Any

import trustme

from retrace_core.sockets.own_stream import OwnReader
from tests.boundaries.test_own_sockets import HOST, TRUSTING, Lines, TlsServer, serving
from tests.recorded import assert_identical, record_asgi

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


def replayed(
    recordings: Path,
    view: Callable[[tuple[str, int]], Awaitable[Any]],
    server: type[Any] = socketserver.ThreadingTCPServer,
) -> bytes:
    """Record a handler that asks a server; replay it when that is gone; return the body."""
    with serving(server, Lines) as address:

        async def handler() -> Any:
            return await view(address)

        app, recording = record_asgi(recordings, handler, tasks=4)
    assert recording.holes == []
    assert_identical(recording, app)
    assert recording.response is not None and recording.response.status == 200
    return b"".join(recording.response.body)


def test_each_way_of_reading(recordings: Path) -> None:
    """A line, so many bytes, up to a separator, the rest, and the end."""

    async def view(address: tuple[str, int]) -> list[str]:
        reader, writer = await asyncio.open_connection(*address)
        assert type(reader) is OwnReader
        known = [writer.get_extra_info("peername"), writer.get_extra_info("sockname")]
        writer.write(b"hello\n")
        await writer.drain()
        said = [await reader.readline()]
        writer.writelines([b"to ", b"and fro\n"])
        said += [await reader.readexactly(2), await reader.readuntil(b"fro"), await reader.read(1)]
        writer.write(b"bye\n")
        said += [await reader.read()]
        ended = reader.at_eof()
        writer.close()
        await writer.wait_closed()
        return [repr(said), repr(known), repr(ended)]

    body = replayed(recordings, view)
    assert b"hello" in body and b"and fro" in body and b"bye" in body


def test_failures_are_raised_again(recordings: Path) -> None:
    """Nobody listens, nobody answers in time, the end comes too early."""

    async def view(address: tuple[str, int]) -> list[str]:
        found = []
        try:
            await asyncio.open_connection(HOST, 9)
        except OSError as error:
            found.append(repr(error))
        reader, writer = await asyncio.wait_for(asyncio.open_connection(*address), 30)
        try:
            await asyncio.wait_for(reader.readline(), 0.05)
        except TimeoutError as error:
            found.append(repr(error))
        writer.write(b"bye\n")
        try:
            await reader.readexactly(1000)
        except asyncio.IncompleteReadError as error:
            found.append(repr(error.partial) + str(error))
        writer.close()
        return found

    body = replayed(recordings, view)
    assert b"ConnectionRefusedError" in body and b"TimeoutError" in body and b"bye" in body


def test_several_at_once(recordings: Path) -> None:
    """In the order in which the answers came."""

    async def view(address: tuple[str, int]) -> list[str]:
        found: list[str] = []

        async def ask(number: int) -> None:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"%d\n" % number)
            found.append((await reader.readline()).decode())
            writer.close()

        await asyncio.gather(*(ask(number) for number in range(8)))
        return found

    replayed(recordings, view)


def test_tls_is_recorded_in_clear(recordings: Path) -> None:
    """Nothing of the handshake is needed again; one that fails fails again."""
    strangers = ssl.create_default_context()
    trustme.CA().configure_trust(strangers)

    async def view(address: tuple[str, int]) -> list[str]:
        try:
            await asyncio.open_connection(*address, ssl=strangers)
        except ssl.SSLCertVerificationError as error:
            refused = repr(error)
        reader, writer = await asyncio.open_connection(*address, ssl=TRUSTING)
        writer.write(b"bye\n")
        said = await reader.read(), writer.get_extra_info("cipher")
        writer.close()
        return [repr(said), refused]

    body = replayed(recordings, view, TlsServer)
    assert b"bye" in body and b"SSLCertVerificationError" in body
