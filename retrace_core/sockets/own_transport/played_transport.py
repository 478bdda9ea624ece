"""Played transport: that of a connection that is not there, and what a protocol is told by it."""

from __future__ import annotations

import asyncio
from asyncio import protocols
from typing import TYPE_CHECKING, Any, cast

from retrace_core.boundary import call, mask
from retrace_core.codec import unpack_exception
from retrace_core.installer import allowed_errors
from retrace_core.lanes import Lane
from retrace_core.native import current
from retrace_core.sockets.own_transport.connection import SENT, asked
from retrace_core.sockets.own_transport.hearing import MADE, TLS
from retrace_core.sockets.own_transport.telling import Telling, telling_of
from retrace_core.sockets.own_transport.transport_info import extra_info
from retrace_core.sockets.sent_key import asks_for_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["PlayedDatagramTransport", "PlayedStreamTransport", "PlayedTransport"]


class PlayedTransport(asyncio.BaseTransport):
    """What such a transport of any kind is.

    Args:
        loop: the event loop.
        peer: where it would lead, in words.
        given: the socket that it was to use, None where it was to make one.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, peer: str, given: Any = None) -> None:
        super().__init__()
        self.peer = peer
        self.is_asked = False
        self._loop, self._given = loop, given
        self._protocol: Any = None
        self._factory: Callable[[], Any] | None = None
        """Makes the protocol of a connection that another end makes."""
        self._info: dict[str, Any] = {}
        self._last: dict[str, Any] = {}
        """What is known of it once it is lost."""
        self._tellings: list[Telling] = []
        self._closing = self._lost = False

    async def opened(self, telling: Telling, protocol: Any) -> None:
        """Tell the protocol that there is a connection, in its turn if that was heard."""
        self._protocol = protocol
        self._tellings.append(telling)
        telling.begin()
        if not await telling.wait_for(MADE):
            with mask():
                protocol.connection_made(self)

    def accepted(self, telling: Telling, factory: Callable[[], Any]) -> bool:
        """Begin to tell of a connection that another end made; False where there was none.

        Args:
            telling: what is to be told.
            factory: makes the protocol.
        """
        self._factory = factory
        self._tellings.append(telling)
        telling.begin()
        return telling.has_any()

    async def secured(self, lane: Lane) -> None:
        """Wait until TLS was agreed on."""
        await self._telling(lane).wait_for(TLS)

    async def ready_for(self, what: str) -> None:
        """Return at once: a protocol is told whatever it does."""

    def tell(self, what: str, value: Any) -> None:
        """Tell the protocol what was recorded.

        Args:
            what: the name of the protocol's method.
            value: what is told.
        """
        protocol = self._protocol
        try:
            if what == "connection_made":
                self._info = value
                self._protocol_made().connection_made(self)
            elif what == "tls_started":
                self._info = value
            elif what == "data_received":
                self._told_data(value)
            elif what == "datagram_received":
                protocol.datagram_received(*value)
            elif what == "error_received":
                protocol.error_received(_error(value))
            elif what == "connection_lost":
                self._told_lost(*value)
            elif what == "eof_received":
                self._closing = not protocol.eof_received() or self._closing
            else:
                getattr(protocol, what)()
        except Exception as error:  # noqa: BLE001  # as the loop does of what it calls
            message = f"Fatal error: protocol.{what}() call failed."
            context = {"message": message, "exception": error, "protocol": protocol}
            self._loop.call_exception_handler({**context, "transport": self})
            self._closing = True

    def _protocol_made(self) -> Any:
        if self._protocol is None and self._factory is not None:
            with mask():
                self._protocol = self._factory()
        return self._protocol

    def _told_data(self, data: bytes) -> None:
        self.is_asked = asks_for_secret(data)
        if isinstance(self._protocol, protocols.BufferedProtocol):
            cast("Any", protocols)._feed_data_to_buffered_proto(self._protocol, data)
        else:
            self._protocol.data_received(data)

    def _told_lost(self, error: Any, info: dict[str, Any]) -> None:
        self._last = info
        if not self._lost:
            self._closing = self._lost = True
            self._info = {**self._info, **info}
            self._protocol.connection_lost(None if error is None else _error(error))

    def was_told(self) -> None:
        """Take note that all is told that one recording had heard."""
        if self._closing:
            self._loop.call_soon(self._lose)

    def _lose(self) -> None:
        if not self._lost and all(one.over for one in self._tellings):
            self._lost = True
            self._info = {**self._info, **self._last}
            with mask():
                self._protocol.connection_lost(None)

    def _telling(self, lane: Lane) -> Telling:
        return telling_of(lane, self, self._tellings)

    def _send(self, data: Any, to: object) -> None:
        lane = current()
        if not isinstance(lane, Lane):
            return
        self._telling(lane).wrote()
        added: Any = call(lane, SENT, asked(self, data, to), _nothing)
        if added is not None:
            self._info = added.get("info", self._info)
            with mask():
                for what in added.get("told", ()):
                    self.tell(what, None)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what was known of the connection."""
        return extra_info(self._info, name, default)

    def is_closing(self) -> bool:
        """Return True once it was closed."""
        return self._closing

    def close(self) -> None:
        """Close it; the protocol is told so in its turn."""
        if self._given is not None:
            self._given.close()
        lane = current()
        for one in self._tellings:
            if isinstance(lane, Lane) and one.scope is lane.scope:
                one.wrote()
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._lose)

    def abort(self) -> None:
        """Close it."""
        self.close()

    def set_protocol(self, protocol: Any) -> None:
        """Tell another protocol from now on."""
        self._protocol = protocol

    def get_protocol(self) -> Any:
        """Return the protocol that is told."""
        return self._protocol


class PlayedStreamTransport(PlayedTransport, asyncio.Transport):
    """Such a transport of bytes."""

    _reads = True

    def write(self, data: Any) -> None:
        """Write to nobody, in its turn."""
        self._send(data, None)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """Write several pieces."""
        self.write(b"".join(list_of_data))

    def write_eof(self) -> None:
        """Say to nobody that this was all."""

    def can_write_eof(self) -> bool:
        """Return True."""
        return True

    def is_reading(self) -> bool:
        """Return True unless that was paused."""
        return self._reads and not self._closing

    def pause_reading(self) -> None:
        """Take note of it: what was heard is told in its turn."""
        self._reads = False

    def resume_reading(self) -> None:
        """Take note of it, as `pause_reading`."""
        self._reads = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Do nothing: when it was enough is recorded."""

    def get_write_buffer_size(self) -> int:
        """Return 0: all is gone at once."""
        return 0

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return none in particular."""
        return (0, 0)


class PlayedDatagramTransport(PlayedTransport, asyncio.DatagramTransport):
    """Such a transport of datagrams."""

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Send to nobody, in its turn."""
        self._send(data, addr)


def _error(packed: Any) -> BaseException:
    return unpack_exception(packed, allowed_errors())


def _nothing() -> None:
    return None
