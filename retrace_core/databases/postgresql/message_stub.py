"""Message stub: a socket that gives a driver recorded messages of PostgreSQL's server to read.

For drivers in Python that read the protocol themselves, from a file of their socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.databases.postgresql.backend import DEFAULTS, SESSION
from retrace_core.databases.postgresql.protocol import IDLE, STATE, message, sent, setting
from retrace_core.databases.postgresql.statements import neutral

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MessageStub", "Noting", "is_whole"]

_READY = b"Z\0\0\0\5"
_STATES = {letter: state for state, letter in STATE.items()}


def is_whole(said: bytes) -> bool:
    """Return True for an answer to its end: the server waits for the next question."""
    return said[-6:-1] == _READY


class MessageStub:
    """The server's end of a connection, and the socket and its file at the driver's.

    Args:
        statuses: what the server had reported of its settings; empty where nobody knows.
    """

    def __init__(self, statuses: Mapping[str, str]) -> None:
        known = {**dict(zip(SESSION, DEFAULTS, strict=True)), **statuses}
        self.session = tuple(known[name] for name in SESSION)
        self.state = IDLE
        reported = b"".join(setting(name, value) for name, value in known.items())
        self._left = memoryview(
            message(b"R", bytes(4)) + reported + message(b"K", bytes(8)) + self._ready()
        )

    def _ready(self) -> bytes:
        return message(b"Z", STATE[self.state])

    def neutral(self, sql: str) -> bytes:
        """Return the answer to a statement of which nothing was recorded, as it is nobody's."""
        result, state = neutral(sql.encode(), self)
        self.state = state if state in STATE else self.state
        ready = self._ready()
        return sent(result) + ready + ready + ready  # a question is up to three exchanges

    def feed(self, said: bytes) -> None:
        """Let the driver read this, and forget what it has not read of the answer before."""
        if is_whole(said):
            self.state = _STATES.get(said[-1:], IDLE)
        self._left = memoryview(said)

    # -- what the driver asks of its socket, and of the file of it

    def makefile(self, *_: Any, **__: Any) -> MessageStub:
        """Return the file of it."""
        return self

    def read(self, size: int) -> bytes:
        """Return the next bytes; none where the answer is over."""
        taken, self._left = self._left[:size], self._left[size:]
        return bytes(taken)

    def write(self, data: bytes) -> int:
        """Take what is sent: it goes to nobody."""
        return len(data)

    def flush(self) -> None:
        """Do nothing."""

    def settimeout(self, timeout: float | None) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing: there is nothing that it holds."""


class Noting:
    """A file of a live socket that keeps what is read from it."""

    def __init__(self, below: Any) -> None:
        self.below = below
        self._said: list[bytes] = []

    def said(self) -> bytes:
        """Return what was read."""
        return b"".join(self._said)

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        data: bytes = self.below.read(size)
        self._said.append(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)
