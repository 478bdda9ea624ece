"""Own stream: asyncio's reader and writer that no boundary stands above, recorded themselves.

As `own_socket` is for who blocks: what is written, and what each reading gave, is an event.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from retrace_core.boundary import attempt_async, call, call_async, mask
from retrace_core.native import REPLAY, current
from retrace_core.sockets.sent_key import asks_for_secret, sent_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

__all__ = ["OwnReader", "OwnWriter", "adopt_stream", "adopt_streams", "streams_to_nobody"]

_SEND, _RECEIVE, _STATE = "stream.send", "stream.receive", "stream.state"
_KNOWN = frozenset(("peername", "sockname", "peercert", "cipher"))
"""What of a connection's information is recorded; of the rest a replay has none."""

_peers: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
_logins: WeakKeyDictionary[Any, list[bool]] = WeakKeyDictionary()
"""Whether the other end has asked for a part of a login: one list for both of a connection."""


def adopt_streams(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return both ends of a connection, as ones of these; `peer` is where it leads, in words."""
    if type(reader) is asyncio.StreamReader and type(writer) is asyncio.StreamWriter:
        adopt_stream(reader, peer)
        adopt_stream(writer, peer)
        _logins[writer] = _logins[reader]
    return reader, writer


def adopt_stream(stream: Any, peer: str) -> None:
    """Make one of these of a stream by itself, a program's say; None is left."""
    own: Any = {asyncio.StreamReader: OwnReader, asyncio.StreamWriter: OwnWriter}.get(type(stream))
    if own is not None:
        _peers[stream] = peer
        _logins[stream] = [False]
        stream.__class__ = own


def streams_to_nobody(limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return both ends of a connection that leads nowhere, for a replay."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=limit, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    return reader, asyncio.StreamWriter(_Nowhere(), protocol, reader, loop)


class _Nowhere(asyncio.Transport):
    """A transport that sends nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._closed = False

    def write(self, data: Any) -> None:
        """Forget it."""

    def is_closing(self) -> bool:
        """Return True once it was closed."""
        return self._closed

    def close(self) -> None:
        """Close it."""
        self._closed = True

    abort = close

    def can_write_eof(self) -> bool:
        """Return True."""
        return True

    def write_eof(self) -> None:
        """Forget it."""


class OwnReader(asyncio.StreamReader):
    """What each reading gave is an event."""

    async def _receive(self, live: Callable[[], Awaitable[bytes]], *how: object) -> bytes:
        lane = current()
        if lane is None:
            return await live()
        received = await call_async(lane, _RECEIVE, [_peers.get(self), *how], live)
        _logins[self][0] = asks_for_secret(received)
        return received

    async def read(self, n: int = -1) -> bytes:
        """Return up to so many bytes; all there are to come, by default."""
        return await self._receive(functools.partial(super().read, n), "read", n)

    async def readline(self) -> bytes:
        """Return a line."""
        return await self._receive(super().readline, "readline")

    async def readuntil(self, separator: Any = b"\n") -> bytes:
        """Return what comes up to a separator, with it."""
        live = functools.partial(super().readuntil, separator)
        return await self._receive(live, "readuntil", separator)

    async def readexactly(self, n: int) -> bytes:
        """Return so many bytes."""
        return await self._receive(functools.partial(super().readexactly, n), "readexactly", n)

    def at_eof(self) -> bool:
        """Return True when all was read."""
        lane, live = current(), super().at_eof
        return live() if lane is None else call(lane, _STATE, [_peers.get(self), "eof"], live)


class OwnWriter(asyncio.StreamWriter):
    """What is written is an event, and failures of the rest."""

    def write(self, data: Any) -> None:
        """Write some bytes."""
        lane, live = current(), functools.partial(super().write, data)
        if lane is None:
            return live()
        key = [_peers.get(self), sent_key(bytes(data), secret=_logins[self][0])]

        def masked() -> None:
            with mask():  # what the loop does of it later is in nobody's lane
                live()

        return call(lane, _SEND, key, masked)

    def writelines(self, data: Iterable[Any]) -> None:
        """Write several pieces."""
        self.write(b"".join(data))

    async def drain(self) -> None:
        """Wait until there is room to write more."""
        await self._wait("stream.drain", super().drain)

    async def wait_closed(self) -> None:
        """Wait until it is closed."""
        await self._wait("stream.close", super().wait_closed)

    async def start_tls(self, *args: Any, **options: Any) -> None:
        """Agree on keys; it is an event only when it fails."""
        await self._wait("stream.tls", functools.partial(super().start_tls, *args, **options))

    async def _wait(self, kind: str, live: Callable[[], Awaitable[None]]) -> None:
        lane = current()
        if lane is None:
            await live()
        else:
            await attempt_async(lane, kind, _peers.get(self), live)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what is known of the connection."""
        lane, live = current(), functools.partial(super().get_extra_info, name, default)
        if lane is None:
            return live()
        if name in _KNOWN:
            return call(lane, _STATE, [_peers.get(self), name], live)
        return default if lane.mode == REPLAY else live()
