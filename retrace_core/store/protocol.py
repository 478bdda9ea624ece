"""Protocol: what every store does, and the path contract.

A recording's logical path is `<folder>/<service>/trace.bin`; a later one that claims the
same path is `<folder>/<service>/trace.<span-id>.bin`. Nothing is ever overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retrace_core.errors import StoreError

__all__ = ["BatchStore", "Store", "StoredRecording"]


@dataclass(frozen=True, slots=True)
class StoredRecording:
    """One recording in a store."""

    path: str
    """Logical path below the store's root, with forward slashes."""
    folder: str
    """The trace it belongs to."""
    service: str
    size_bytes: int
    modified_ns: int
    """Unix time in nanoseconds."""


class Store(Protocol):
    """A place that keeps recordings."""

    def put(self, folder: str, service: str, span_id: str, data: bytes) -> str:
        """Keep a whole recording under a path of its own, and return the path.

        Raises:
            StoreError: it could not be kept; nothing half-written is left under that path.
        """
        ...

    def get(self, path: str) -> bytes:
        """Return the bytes of the recording at a logical path.

        Raises:
            StoreError: there is none, or it can't be read.
        """
        ...

    def list(self, *, folder: str = "", service: str = "") -> Iterator[StoredRecording]:
        """Yield what is kept, of one trace or one service if given."""
        ...

    def delete(self, path: str) -> None:
        """Remove the recording at a logical path.

        Raises:
            StoreError: there is none, or it can't be removed.
        """
        ...


@runtime_checkable
class BatchStore(Protocol):
    """A store for which several recordings in one step cost less than one by one."""

    def put_all(self, recordings: Sequence[tuple[str, str, str, bytes]]) -> list[str | StoreError]:
        """Keep recordings, each given as the arguments of `Store.put`; a path or error of each."""
        ...
