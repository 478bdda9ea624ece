"""Protocol: what every store does, and the path contract.

A recording's logical path is `<folder>/<service>/trace.bin`; a later one that claims the
same path is `<folder>/<service>/trace.<span-id>.bin`. Boot tapes are in folders of their own,
`boot-<id>/<service>/boot.bin`. Nothing is ever overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypedDict, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from retrace_core.errors import StoreError
    from retrace_core.store.blobs import Blobs

__all__ = [
    "END_NS",
    "BatchStore",
    "BulkStore",
    "RankedStore",
    "RewritableStore",
    "Store",
    "StoredRecording",
    "Wanted",
]

END_NS = 1 << 63
"""Later than any time in nanoseconds."""


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
    """Unix time in nanoseconds, by the clock of the store."""


class Wanted(TypedDict, total=False):
    """Which recordings `Store.list` is asked for, as a store passes it on to another."""

    folder: str
    begins: str
    service: str
    since_ns: int
    until_ns: int
    boot_tapes: bool


class Store(Protocol):
    """A place that keeps recordings; all methods block, and may be called by any thread."""

    @property
    def url(self) -> str:
        """What `open_store` opens it by: a folder's absolute path, or a URL without secrets."""
        ...

    @property
    def blobs(self) -> Blobs:
        """The named bytes below the same root, for what is no recording (marks, packs)."""
        ...

    def put(self, folder: str, service: str, span_id: str, data: bytes) -> str:
        """Keep a whole recording under a path of its own, and return the path.

        The same bytes put again by the same names are recognised, and not kept twice.

        Raises:
            StoreError: it could not be kept; nothing half-written is left under that path.
        """
        ...

    def get(self, path: str) -> bytes:
        """Return the bytes of the recording at a logical path.

        Raises:
            NotStored: there is none.
            StoreError: the path is not one of a recording, or it can't be read.
        """
        ...

    def list(
        self,
        *,
        folder: str = "",
        begins: str = "",
        service: str = "",
        since_ns: int = 0,
        until_ns: int = END_NS,
        boot_tapes: bool = False,
    ) -> Iterator[StoredRecording]:
        """Yield what is kept, in no particular order; foreign names are passed over.

        Args:
            folder: of this trace or boot tape only; one that is not there yields nothing.
            begins: only of folders whose names begin so.
            service: of this service only.
            since_ns: not kept before, in Unix nanoseconds.
            until_ns: not kept later.
            boot_tapes: boot tapes too, where no folder is named.

        Raises:
            StoreError: the store is not there or can't be read.
        """
        ...

    def stat(self, path: str) -> StoredRecording:
        """Return what is known of the recording at a logical path.

        Raises:
            NotStored: there is none.
            StoreError: the path is not one of a recording, or the store can't be asked.
        """
        ...

    def delete(self, path: str) -> None:
        """Remove the recording at a logical path.

        Raises:
            NotStored: there is none; a cloud's store may say nothing then.
            StoreError: the path is not one of a recording, or it can't be removed.
        """
        ...

    def presign(self, path: str, *, expires_s: int = 3600) -> str:
        """Return a URL by which anybody may read the recording for a time.

        Raises:
            StoreCannot: this kind of store has no such URLs.
            StoreError: the path is not one of a recording, or the credentials can't sign.
        """
        ...


@runtime_checkable
class BatchStore(Protocol):
    """A store for which several recordings in one step cost less than one by one."""

    def put_all(self, recordings: Sequence[tuple[str, str, str, bytes]]) -> list[str | StoreError]:
        """Keep recordings, each given as the arguments of `Store.put`; a path or error of each."""
        ...


@runtime_checkable
class BulkStore(Protocol):
    """A store for which to delete several recordings in one step costs less than one by one."""

    def delete_all(self, paths: Sequence[str]) -> Sequence[StoreError | None]:
        """Remove recordings; None for each that is gone now, or the error as of `Store.delete`."""
        ...


@runtime_checkable
class RewritableStore(Protocol):
    """A store whose recordings can be changed in place, for other keys to read them."""

    def rewrite(
        self, paths: Sequence[str], change: Callable[[str, bytes], bytes]
    ) -> Sequence[StoreError | None]:
        """Put other bytes in the place of recordings, each in one step.

        Args:
            paths: of the recordings.
            change: gets a path and its bytes, returns others; may be called more than once, by
                any thread.

        Returns:
            None for each that was changed, or the error for which it was not: then, and where
            the process dies, it is as it was.
        """
        ...


@runtime_checkable
class RankedStore(Protocol):
    """A store that may have to drop recordings, and is told which it should drop last."""

    def put_ranked(
        self, recordings: Sequence[tuple[str, str, str, bytes]], failed: Sequence[bool]
    ) -> list[str | StoreError]:
        """Keep recordings as `BatchStore.put_all` does.

        Args:
            recordings: each as the arguments of `Store.put`.
            failed: for each, whether its request failed.
        """
        ...
