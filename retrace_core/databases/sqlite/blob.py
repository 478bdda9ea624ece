"""Blob: a value of a table that is read and written in place; each access is an event."""

from __future__ import annotations

import functools
from typing import Any

from retrace_core.boundary import call
from retrace_core.errors import LiveCallRefused
from retrace_core.native import current

__all__ = ["RecordedBlob"]


class RecordedBlob:
    """Stands for a `sqlite3.Blob`, whose class can't be derived from.

    Args:
        live: the blob; None on replay.
    """

    def __init__(self, live: Any) -> None:
        self._live = live

    def _cross(self, name: str, *args: Any) -> Any:
        lane = current()
        if lane is not None:
            return call(
                lane, f"sqlite3.blob.{name}", args, functools.partial(self._run, name, *args)
            )
        return self._run(name, *args)

    def _run(self, name: str, *args: Any) -> Any:
        if self._live is None:
            raise LiveCallRefused(f"sqlite3.blob.{name}", "a database that is not there")
        return getattr(self._live, name)(*args)

    def read(self, length: int = -1, /) -> bytes:
        """Return the next bytes, or all that remain."""
        data: bytes = self._cross("read", length)
        return data

    def write(self, data: Any, /) -> None:
        """Write bytes where the blob stands; it can't grow."""
        self._cross("write", data)

    def seek(self, offset: int, origin: int = 0, /) -> None:
        """Go to another place."""
        self._cross("seek", offset, origin)

    def tell(self) -> int:
        """Return the place, in bytes from the beginning."""
        place: int = self._cross("tell")
        return place

    def close(self) -> None:
        """Close the blob."""
        self._cross("close")

    def __len__(self) -> int:
        length: int = self._cross("__len__")
        return length

    def __getitem__(self, where: Any) -> Any:
        return self._cross("__getitem__", where)

    def __setitem__(self, where: Any, value: Any) -> None:
        self._cross("__setitem__", where, value)

    def __enter__(self) -> RecordedBlob:
        self._cross("__enter__")
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
