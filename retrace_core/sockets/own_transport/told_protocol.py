"""Told protocol: stands before the application's protocol, and takes note of what it is told.

A transport has no other; who asks the transport for its protocol gets the application's. Where
nobody records, it passes on what it is told, and no more.
"""

from __future__ import annotations

import asyncio
from asyncio import protocols
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe
from retrace_core.codec import pack_exception
from retrace_core.sockets.own_transport.transport_info import info_of, plain_info_of

if TYPE_CHECKING:
    from retrace_core.sockets.own_transport.connection import Connection

__all__ = ["ToldBufferedProtocol", "ToldProtocol", "connection_behind", "told_protocol"]


class _Told(asyncio.BaseProtocol):
    """What a protocol of any kind is told."""

    __slots__ = ("connection",)

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def connection_made(self, transport: Any) -> None:
        """Pass on that there is a connection."""
        own = self.connection
        own.transport = transport
        if not own.hearings:
            own.inner.connection_made(transport)
            return
        own.told("connection_made", info_of(transport), own.inner.connection_made, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on that there is none any more."""
        own = self.connection
        transport, own.transport = own.transport, None
        if not own.hearings:
            own.inner.connection_lost(exc)
            return
        value = [_packed(exc), plain_info_of(transport)]
        own.told("connection_lost", value, own.inner.connection_lost, exc)

    def eof_received(self) -> Any:
        """Pass on that nothing more will come; return whether the transport stays open."""
        own = self.connection
        if not own.hearings:
            return own.inner.eof_received()
        return own.told("eof_received", None, own.inner.eof_received)

    def pause_writing(self) -> None:
        """Pass on that enough was written for now."""
        own = self.connection
        if not own.hearings:
            own.inner.pause_writing()
            return
        own.told("pause_writing", None, own.inner.pause_writing)

    def resume_writing(self) -> None:
        """Pass on that there is room for more."""
        own = self.connection
        if not own.hearings:
            own.inner.resume_writing()
            return
        own.told("resume_writing", None, own.inner.resume_writing)


class ToldProtocol(_Told, asyncio.Protocol, asyncio.DatagramProtocol):
    """One that is told bytes, or datagrams."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        """Pass on some bytes."""
        own = self.connection
        if not own.hearings:
            own.inner.data_received(data)
            return
        own.told("data_received", bytes(data), own.inner.data_received, data)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Pass on a datagram."""
        own = self.connection
        if not own.hearings:
            own.inner.datagram_received(data, addr)
            return
        value = [bytes(data), addr]
        own.told("datagram_received", value, own.inner.datagram_received, data, addr)

    def error_received(self, exc: Exception) -> None:
        """Pass on that a datagram did not arrive."""
        own = self.connection
        if not own.hearings:
            own.inner.error_received(exc)
            return
        own.told("error_received", _packed(exc), own.inner.error_received, exc)


class ToldBufferedProtocol(_Told, asyncio.BufferedProtocol):
    """One that gives the buffer into which bytes are put."""

    __slots__ = ("_buffer",)

    def get_buffer(self, sizehint: int) -> Any:
        """Return the application's buffer."""
        self._buffer = buffer = self.connection.inner.get_buffer(sizehint)
        return buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on that bytes are in it."""
        own = self.connection
        if not own.hearings:
            own.inner.buffer_updated(nbytes)
            return
        said = bytes(memoryview(self._buffer).cast("B")[:nbytes])
        own.told("data_received", said, own.inner.buffer_updated, nbytes)


def told_protocol(connection: Connection, protocol: Any) -> ToldProtocol | ToldBufferedProtocol:
    """Return what stands before a protocol, which is the application's from now on."""
    connection.inner = protocol
    if isinstance(protocol, protocols.BufferedProtocol):
        return ToldBufferedProtocol(connection)
    return ToldProtocol(connection)


def connection_behind(protocol: Any) -> Connection | None:
    """Return the connection of such a protocol; None for any other."""
    if type(protocol) is ToldProtocol or type(protocol) is ToldBufferedProtocol:
        return protocol.connection
    return None


def _packed(error: BaseException | None) -> object:
    packed = None
    if error is not None:
        with failsafe.gate("hear a transport"):
            packed = pack_exception(error)
    return packed
