"""What psycopg2's COPY writes into a file of the application's, kept while it is recorded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Once", "Tee", "shown"]


class Once:
    """An iterator over one call, which may raise StopIteration."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call

    def __iter__(self) -> Once:
        return self

    def __next__(self) -> Any:
        return self._call()


class Tee:
    """Keeps what COPY writes into a file of the application's."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._parts: list[bytes] = []
        self.written = False

    def write(self, data: Any) -> Any:
        """Write on, and keep it."""
        self.written = True
        self._parts.append(data.encode() if isinstance(data, str) else bytes(data))
        return self._file.write(data)

    def read(self, *size: Any) -> Any:
        """Read on."""
        return self._file.read(*size)

    def taken(self) -> bytes:
        """Return all that was written."""
        return b"".join(self._parts)


class _TextTee(io.TextIOBase):
    """The same for a text file, which psycopg2 knows by its class."""

    def __init__(self, tee: Tee) -> None:
        self._tee = tee

    def write(self, data: Any) -> Any:
        """Write on, and keep it."""
        return self._tee.write(data)

    def read(self, *size: Any) -> Any:
        """Read on."""
        return self._tee.read(*size)


def shown(tee: Tee, file: Any) -> Any:
    """Return what to hand to psycopg2 for `file`: itself, outside a scope."""
    if current() is None:
        return file
    return _TextTee(tee) if isinstance(file, io.TextIOBase) else tee
