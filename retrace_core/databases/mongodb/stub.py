"""Stub: what a replayed connection to MongoDB holds in the place of a socket."""

from __future__ import annotations

from typing import Any

__all__ = ["StubSocket", "StubSocketAsync", "is_stub"]


class StubSocket:
    """A socket that nothing goes through; `Connection`'s own methods are answered above it."""

    sock = None

    @property
    def get_conn(self) -> StubSocket:
        """Return itself."""
        return self

    def gettimeout(self) -> None:
        """Return no time-out."""

    def settimeout(self, timeout: float | None) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def is_closing(self) -> bool:
        """Return False."""
        return False

    def fileno(self) -> int:
        """Return no descriptor."""
        return -1


class StubSocketAsync(StubSocket):
    """The same for the asyncio client."""

    async def close(self) -> None:  # type: ignore[override]
        """Do nothing."""


def is_stub(connection: Any) -> bool:
    """Return True for a connection of pymongo's, or its socket, that was made by a replay."""
    return isinstance(connection, StubSocket) or isinstance(
        getattr(connection, "conn", None), StubSocket
    )
