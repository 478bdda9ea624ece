"""Arrivals: what comes on a connection of asyncmy's, which the driver reads in C from a buffer.

The driver waits only where its buffer has not enough, and each such wait is an event with the
bytes that came. What comes while nobody waits, as the rest of a result that is read row by row,
is held back until somebody does: a replay, which gives the bytes of each wait, then waits as
often as it was recorded. So is the beginning of a packet until the rest of it has come: an event
has whole packets, in which secrets are found.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.databases.mysql.packets import neutral

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "StubTransport",
    "end_of_packets",
    "feed",
    "hold",
    "holding_buffer",
    "holding_update",
    "release",
    "unread",
]

_HELD = "_retrace_held"
_SCRATCH_BYTES = 64 * 1024
_HEAD_BYTES = 4


class _Held:
    """What came while nobody waited."""

    __slots__ = ("data", "scratch")

    def __init__(self) -> None:
        self.data = bytearray()
        self.scratch = bytearray(_SCRATCH_BYTES)


def hold(protocol: Any, end: int) -> None:
    """Hold back what stands in the driver's buffer from here on, and what comes."""
    held = _Held()
    held.data += protocol.buffer[end : protocol.length]
    protocol.length = end
    protocol.__dict__[_HELD] = held


def end_of_packets(protocol: Any, need: int) -> int:
    """Return where the last whole packet in the driver's buffer ends.

    Args:
        protocol: has the buffer.
        need: how many bytes the driver waits for: a head, or a body whose head it has read.

    Returns:
        A place in the buffer; 0 where there is no whole one.
    """
    buffer, last = protocol.buffer, int(protocol.length)
    end, place = 0, int(protocol.pos)
    if need != _HEAD_BYTES:
        end = place = place + need
    while place + _HEAD_BYTES <= last:
        place += _HEAD_BYTES + int.from_bytes(buffer[place : place + 3], "little")
        if place > last:
            break
        end = place
    return end if end <= last else 0


def release(protocol: Any) -> None:
    """Give the driver what was held back, and hold nothing more."""
    held = None if protocol is None else protocol.__dict__.pop(_HELD, None)
    if held is not None and held.data:
        feed(protocol, bytes(held.data))


def unread(protocol: Any) -> int:
    """Return how many bytes the driver has and did not read yet."""
    return int(protocol.length) - int(protocol.pos)


def feed(protocol: Any, said: bytes) -> None:
    """Have the driver read these bytes next."""
    while said:
        with protocol.get_buffer(len(said)) as room:
            size = min(len(room), len(said))
            room[:size] = said[:size]
        protocol.buffer_updated(size)
        said = said[size:]


def holding_buffer(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `get_buffer` that has what comes put aside while it is to be held back."""

    @functools.wraps(original)
    def get_buffer(self: Any, sizehint: int) -> Any:
        held = self.__dict__.get(_HELD)
        return original(self, sizehint) if held is None else memoryview(held.scratch)

    return get_buffer


def holding_update(original: Callable[..., None]) -> Callable[..., None]:
    """Return a `buffer_updated` that keeps what was put aside."""

    @functools.wraps(original)
    def buffer_updated(self: Any, nbytes: int) -> None:
        held = self.__dict__.get(_HELD)
        if held is None:
            original(self, nbytes)
        else:
            held.data += memoryview(held.scratch)[:nbytes]

    return buffer_updated


class StubTransport:
    """The other side of a connection on replay: nothing that is sent arrives.

    Args:
        connection: of asyncmy's.
        protocol: it reads from.
    """

    def __init__(self, connection: Any, protocol: Any) -> None:
        self.asked: tuple[int, str] = (0, "")
        self._connection = connection
        self._protocol = protocol
        self._is_closed = False

    def neutral(self) -> bytes:
        """Return the answer to what was asked last, where nothing was recorded of it."""
        own = self._connection
        return neutral(*self.asked, own.server_status, without_eof=bool(own._deprecate_eof))

    def write(self, data: bytes) -> None:
        """Drop what is sent."""

    def is_closing(self) -> bool:
        """Return True once it was closed."""
        return self._is_closed

    def get_write_buffer_size(self) -> int:
        """Return 0: all is sent."""
        return 0

    def get_extra_info(self, _name: str, default: Any = None) -> Any:
        """Return the default: there is no socket."""
        return default

    def close(self) -> None:
        """Tell the driver that the connection has ended."""
        if not self._is_closed:
            self._is_closed = True
            self._protocol.connection_lost(None)
