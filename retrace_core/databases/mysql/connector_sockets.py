"""Connector sockets: what MySQL Connector/Python reads packets from, live and on replay.

The driver in Python, blocking or on asyncio, gets one packet at a time from an object of its own,
which stands above TLS and compression. While an answer is recorded its packets are kept; on
replay the object is a stand-in that gives recorded packets, or neutral answers.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call, call_async
from retrace_core.databases.mysql.packets import greeting, status_after
from retrace_core.databases.mysql.question import NEXT
from retrace_core.databases.mysql.stub import Answers
from retrace_core.errors import LiveCallRefused
from retrace_core.lane_hook import lane_hook
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from retrace_core import native

__all__ = [
    "READ",
    "AsyncStub",
    "Facts",
    "Inbox",
    "Stub",
    "SyncStub",
    "facts_of",
    "noting_packets",
    "noting_packets_async",
    "stub_of",
]

READ = "mysqlconnector.read"
_INBOX = "_retrace_inbox"
_QUERY = 3
_AUTOCOMMIT = 2
_NO_ATTRIBUTES = b"\0\1"
"""What stands before a statement's text where the server takes attributes."""

Facts = list[Any]
"""What a server says first: its version, what it can do, its character set."""


def facts_of(connection: Any) -> Facts:
    """Return what the server of a live connection said first."""
    said = connection._handshake
    return [said["server_version_original"], said["capabilities"], said["charset"]]


class Inbox:
    """The packets that come for one answer.

    Args:
        connection: they come on it.
    """

    def __init__(self, connection: Any) -> None:
        self.packets: list[bytes] = []
        self.is_lost = False
        """True where one was waited for and did not come."""
        self._socket = connection._socket

    def __enter__(self) -> Inbox:
        self._socket.__dict__[_INBOX] = self
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.__dict__.pop(_INBOX, None)

    def said(self, _: object = None) -> bytes:
        """Return all that has come."""
        return b"".join(self.packets)

    @property
    def is_answer(self) -> bool:
        """True where the server has said all that it was asked for."""
        return bool(self.packets) and not self.is_lost


class Stub:
    """The server's side of a connection on replay.

    Args:
        facts: what the server says first.
        address: what it is called.
    """

    sock = None
    server_host = None

    def __init__(self, facts: Facts, address: str) -> None:
        self.address = address
        self.server_status = _AUTOCOMMIT
        self._answers = Answers(facts[0])
        self._answers.connection = self
        self._answers.feed(greeting(*facts))
        self._failure: BaseException | None = None

    def feed(self, said: bytes, failure: BaseException | None = None) -> None:
        """Have these packets read next; none: a neutral answer, or this failure."""
        self._answers.feed(said)
        self._failure = failure

    def neutral(self) -> bytes:
        """Return the answer to what was asked last, where nothing was recorded of it."""
        return self._answers.neutral()

    def packet(self) -> bytearray:
        """Return the next packet."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        head = self._answers.read(4)
        return bytearray(head + self._answers.read(int.from_bytes(head[:3], "little")))

    def note(self, payload: bytes) -> None:
        """Take note of what is asked."""
        command, rest = payload[0] if payload else 0, bytes(payload[1:])
        text = rest.removeprefix(_NO_ATTRIBUTES).decode("utf-8", "replace")
        if command == _QUERY:
            self.server_status = status_after(text, self.server_status)
        self._answers.asked = (command, text)

    def set_connection_timeout(self, timeout: float | None) -> None:
        """Do nothing: nothing is waited for."""


class SyncStub(Stub):
    """Stands for a blocking `MySQLSocket`."""

    def send(self, payload: bytes, *_: Any, **__: Any) -> None:
        """Take note of what is asked; it goes nowhere."""
        self.note(payload)

    def recv(self, _timeout: float | None = None, **__: Any) -> bytearray:
        """Return the next packet; an event where no answer is being read as a whole."""
        lane = current()
        if lane is not None:
            self.feed(call(_replaying(lane), READ, NEXT, self.neutral))
        return self.packet()

    def shutdown(self) -> None:
        """Do nothing."""

    def close_connection(self) -> None:
        """Do nothing."""


class AsyncStub(Stub):
    """Stands for asyncio's `MySQLSocket`."""

    _writer = None

    def __init__(self, facts: Facts, address: str) -> None:
        super().__init__(facts, address)
        self._is_open = True

    async def write(self, payload: bytes, *_: Any, **__: Any) -> None:
        """Take note of what is asked; it goes nowhere."""
        self.note(payload)

    async def read(self, _timeout: float | None = None, **__: Any) -> bytearray:
        """Return the next packet; an event where no answer is being read as a whole."""
        lane = current()
        if lane is not None:

            async def unrecorded() -> bytes:
                return self.neutral()

            self.feed(await call_async(_replaying(lane), READ, NEXT, unrecorded))
        return self.packet()

    def is_connected(self) -> bool:
        """Return True until it is closed."""
        return self._is_open

    async def close_connection(self) -> None:
        """Take note that it is closed."""
        self._is_open = False


def stub_of(connection: Any, lane: native.Lane, kind: str) -> Stub | None:
    """Return the stub that a connection has on replay; None for a live one, or a closed one."""
    found = connection._socket
    if found is None:
        return None
    stub = found if isinstance(found, Stub) else None
    if (lane.mode == REPLAY) != (stub is not None):
        raise LiveCallRefused(kind, "a server, on a connection from before the replay")
    return stub


def noting_packets(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `MySQLSocket.recv` that keeps what comes while an answer is recorded.

    It is an event of its own where it is asked by itself, as for a further result.
    """

    @functools.wraps(original)
    def recv(self: Any, *args: Any, **kwargs: Any) -> Any:
        inbox = self.__dict__.get(_INBOX)
        if inbox is None:
            lane = current()
            if lane is None:
                return original(self, *args, **kwargs)
            live = functools.partial(original, self, *args, **kwargs)
            return call(_recording(lane), READ, NEXT, live, bytes)
        try:
            packet = original(self, *args, **kwargs)
        except BaseException:
            inbox.is_lost = True
            raise
        inbox.packets.append(bytes(packet))
        return packet

    return lane_hook(original, recv, anywhere=True)


def noting_packets_async(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return asyncio's `MySQLSocket.read`, doing what `noting_packets` says."""

    @functools.wraps(original)
    async def read(self: Any, *args: Any, **kwargs: Any) -> Any:
        inbox = self.__dict__.get(_INBOX)
        if inbox is None:
            lane = current()
            if lane is None:
                return await original(self, *args, **kwargs)
            live = functools.partial(original, self, *args, **kwargs)
            return await call_async(_recording(lane), READ, NEXT, live, bytes)
        try:
            packet = await original(self, *args, **kwargs)
        except BaseException:
            inbox.is_lost = True
            raise
        inbox.packets.append(bytes(packet))
        return packet

    return read


def _replaying(lane: native.Lane) -> native.Lane:
    if lane.mode != REPLAY:
        raise LiveCallRefused(READ, "a server, on a connection from a replay")
    return lane


def _recording(lane: native.Lane) -> native.Lane:
    if lane.mode == REPLAY:
        raise LiveCallRefused(READ, "a server, on a connection from before the replay")
    return lane
