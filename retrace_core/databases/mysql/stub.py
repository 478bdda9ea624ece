"""Stub: the other side of a connection on replay, for a blocking socket and for streams."""

from __future__ import annotations

from typing import Any

from retrace_core.databases.mysql.packets import greeting, neutral

__all__ = ["Answers", "StubReader", "StubSocket", "StubWriter"]


class Answers:
    """What the server says: recorded bytes as they are fed, else a neutral answer.

    Args:
        version: of the server.
    """

    def __init__(self, version: str) -> None:
        self.asked: tuple[int, str] = (0, "")
        self.connection: Any = None
        self._unread = greeting(version)

    def feed(self, said: bytes) -> None:
        """Have these bytes read next, and nothing of what was left before."""
        self._unread = said

    def neutral(self) -> bytes:
        """Return the answer to what was asked last, where nothing was recorded of it."""
        return neutral(*self.asked, getattr(self.connection, "server_status", 2))

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        if size and not self._unread:
            self._unread = self.neutral()
        taken, self._unread = self._unread[:size], self._unread[size:]
        return taken

    def close(self) -> None:
        """Do nothing."""


class StubSocket:
    """A socket to nowhere, as far as PyMySQL asks for one."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def makefile(self, _mode: str) -> Answers:
        """Return what is read from."""
        return self._answers

    def sendall(self, data: bytes) -> None:
        """Drop what is sent."""

    def settimeout(self, seconds: float | None) -> None:
        """Do nothing: nothing is waited for."""

    def setsockopt(self, *_: Any) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class StubReader:
    """A stream to read from, as far as aiomysql asks for one."""

    eof_received = False

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def readexactly(self, size: int) -> bytes:
        """Return the next bytes."""
        return self._answers.read(size)

    def at_eof(self) -> bool:
        """Return False: it is never closed from the other side."""
        return False

    def exception(self) -> None:
        """Return None: nothing has gone wrong."""


class StubWriter:
    """A stream to write to, and its transport, as far as aiomysql asks for them."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    @property
    def transport(self) -> StubWriter:
        """The transport."""
        return self

    def write(self, data: bytes) -> None:
        """Drop what is sent."""

    async def drain(self) -> None:
        """Do nothing: all is sent."""

    def get_extra_info(self, _name: str, default: Any = None) -> Any:
        """Return a socket of which options can be set."""
        return StubSocket(self._answers)

    def pause_reading(self) -> None:
        """Do nothing."""

    def resume_reading(self) -> None:
        """Do nothing."""

    def is_closing(self) -> bool:
        """Return False."""
        return False

    def close(self) -> None:
        """Do nothing."""
