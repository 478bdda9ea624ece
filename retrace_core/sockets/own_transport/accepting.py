"""Accepting: a server that a request begins, for whoever is to call it back."""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call_async, mask
from retrace_core.calling import called_from
from retrace_core.coverage.covering import is_anothers_transport
from retrace_core.lanes import Lane
from retrace_core.native import current
from retrace_core.sockets.own_transport.connection import Connection
from retrace_core.sockets.own_transport.hearing import is_of_chapter
from retrace_core.sockets.own_transport.opening import peer_of_stream
from retrace_core.sockets.own_transport.played_transport import PlayedStreamTransport
from retrace_core.sockets.own_transport.telling import Telling
from retrace_core.sockets.own_transport.told_protocol import told_protocol
from retrace_core.sockets.own_transport.transport_info import PlayedSocket

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["carry_server"]

_SERVE, _CLIENT = "transport.serve", "a client"
_STREAMS = ("asyncio.streams",)
_Begins = Callable[..., Awaitable[Any]]


def carry_server(begins: _Begins) -> _Begins:
    """Return a loop's `create_server`, or its like for local sockets, that is recorded.

    A server that the start-up begins is the process's, and is left alone.
    """

    @functools.wraps(begins)
    def beginning(loop: Any, protocol_factory: Any, *args: Any, **options: Any) -> Awaitable[Any]:
        lane = current()
        if (
            not isinstance(lane, Lane)
            or is_of_chapter(lane)
            or is_anothers_transport(called_from(), in_lane=True, past=_STREAMS)
        ):
            return begins(loop, protocol_factory, *args, **options)

        def live(factory: Any) -> Awaitable[Any]:
            return begins(loop, factory, *args, **options)

        return _begin(live, protocol_factory, lane, peer_of_stream(*args, **options))

    return beginning


async def _begin(
    begins: _Begins, factory: Callable[[], Any], lane: Lane, address: str
) -> asyncio.AbstractServer:
    server_id, numbers = lane.next_future_id(), itertools.count()

    def make() -> Any:
        connection = Connection(_CLIENT)
        connection.heard_by(lane, f"{server_id}.{next(numbers)}")
        return told_protocol(connection, factory())

    def played(names: Any) -> PlayedServer:
        server = PlayedServer(names)
        server.accept(lane, server_id, factory)
        return server

    live = functools.partial(begins, make)
    server: asyncio.AbstractServer = await call_async(lane, _SERVE, address, live, _names, played)
    return server


def _names(server: Any) -> list[dict[str, Any]]:
    return [
        {"sockname": own.getsockname(), "family": int(own.family), "type": int(own.type)}
        for own in server.sockets
    ]


class PlayedServer(asyncio.AbstractServer):
    """A server to which nobody can connect; it is told of who did when it was recorded.

    Args:
        names: what is known of each of its sockets.
    """

    def __init__(self, names: Sequence[dict[str, Any]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._names = names
        self._serves = True

    def accept(self, lane: Lane, server_id: str, factory: Callable[[], Any]) -> None:
        """Have the recorded connections come, each in its turn."""
        for number in itertools.count():
            transport = PlayedStreamTransport(self._loop, _CLIENT)
            telling = Telling(lane, transport, f"{server_id}.{number}")
            if not transport.accepted(telling, factory):
                break

    @property
    def sockets(self) -> tuple[PlayedSocket, ...]:
        """Stand-ins of those that it listens on; none once it is closed."""
        return tuple(PlayedSocket(one) for one in self._names) if self._serves else ()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return its event loop."""
        return self._loop

    def is_serving(self) -> bool:
        """Return True until it is closed."""
        return self._serves

    def close(self) -> None:
        """Accept nobody any more."""
        self._serves = False

    async def start_serving(self) -> None:
        """Do nothing: it serves."""

    async def serve_forever(self) -> None:
        """Serve until that is cancelled."""
        try:
            with mask():
                await self._loop.create_future()
        finally:
            self.close()

    async def wait_closed(self) -> None:
        """Return at once."""

    def close_clients(self) -> None:
        """Do nothing: that they are gone is told in its turn."""

    def abort_clients(self) -> None:
        """Do nothing, as `close_clients`."""
