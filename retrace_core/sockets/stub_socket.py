"""A socket that is none: what a replayed connection holds in the place of its own."""

from __future__ import annotations

from typing import Any

__all__ = ["StubSocket"]


class StubSocket:
    """Stands for the socket of a replayed connection: it holds no descriptor, and sends nothing."""

    def __init__(self, host: str, port: int) -> None:
        self._peer = (host, port)
        self._timeout: float | None = None

    def settimeout(self, timeout: float | None) -> None:
        """Remember the timeout; nothing waits."""
        self._timeout = timeout

    def gettimeout(self) -> float | None:
        """Return the remembered timeout."""
        return self._timeout

    def getpeername(self) -> tuple[str, int]:
        """Return the host and port asked for."""
        return self._peer

    def getsockname(self) -> tuple[str, int]:
        """Return no address in particular."""
        return ("127.0.0.1", 0)

    def getpeercert(self, binary_form: bool = False) -> Any:
        """Return an empty certificate."""
        return b"" if binary_form else {}

    def fileno(self) -> int:
        """Return no descriptor."""
        return -1

    def __getattr__(self, name: str) -> Any:
        if name in ("sendall", "send", "setsockopt", "close", "shutdown", "unwrap", "version"):
            return _nothing
        raise AttributeError(name)


def _nothing(*_: object, **__: object) -> None:
    return None
