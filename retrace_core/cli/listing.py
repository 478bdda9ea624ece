"""Listing: the recordings of a store by their headers, newest first."""

from __future__ import annotations

import fnmatch
import heapq
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrace_core.boot.recording import METHOD
from retrace_core.cli.screen import progress
from retrace_core.encryption import has_identities, is_encrypted
from retrace_core.errors import DamagedPack, LockedRecording, NotStored, RecordingError
from retrace_core.store import DirectoryStore
from retrace_core.store.packed_store import PackedStore
from retrace_core.trace_file import load_header

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.recording import Header
    from retrace_core.store import Store, StoredRecording

__all__ = ["Listed", "Wanted", "newest"]

_AT_ONCE = 32
_BEGINNING_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Listed:
    """One file of the store: its header, or why it can't be read."""

    stored: StoredRecording
    header: Header | None
    reason: str = ""
    locked: bool = False
    """It is encrypted, and no key that opens it is at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which recordings are asked for."""

    trace: str = ""
    service: str = ""
    since_ns: int = 0
    until_ns: int = 1 << 63
    status: str = ""
    path: str = ""

    def takes(self, header: Header) -> bool:
        """Return True for a recording that is asked for."""
        return (
            header.method != METHOD  # the boot tape of a process
            and self.since_ns <= header.started_ns <= self.until_ns
            and self._takes_status(header)
            and (not self.path or fnmatch.fnmatchcase(header.path, self.path))
        )

    def _takes_status(self, header: Header) -> bool:
        if not self.status:
            return True
        if self.status == "error":
            return header.failed
        if self.status.endswith("xx"):
            return header.status // 100 == int(self.status[0])
        return header.status == int(self.status)


def newest(store: Store, wanted: Wanted, limit: int | None = None) -> list[Listed]:
    """Return what is asked for, newest first, then the unreadable files.

    Args:
        store: where to look.
        wanted: what is asked for.
        limit: how many readable ones to return at most; default all.

    Raises:
        StoreError: the folder is not there or can't be read.
    """
    files = [
        one
        for one in store.list(begins=wanted.trace, service=wanted.service, since_ns=wanted.since_ns)
    ]
    files.sort(key=lambda one: one.modified_ns, reverse=True)
    readable: list[Listed] = []
    unreadable: list[Listed] = []
    starts: list[int] = []  # a heap of the `limit` newest starts so far
    with progress("reading headers", len(files) if len(files) > 2000 else 0) as step:
        for listed in _read_each(store, files):
            one = listed.stored
            # A file is written after its request began, so all that follow began before this.
            if limit is not None and len(starts) == limit and one.modified_ns < starts[0]:
                break
            step()
            if listed.header is None:
                unreadable.append(listed)
            elif wanted.takes(listed.header):
                readable.append(listed)
                _push(starts, listed.header.started_ns, limit)
    readable.sort(key=lambda one: one.header.started_ns if one.header else 0, reverse=True)
    return [*readable[:limit], *unreadable]


def _push(heap: list[int], started_ns: int, limit: int | None) -> None:
    if limit is None:
        return
    if len(heap) < limit:
        heapq.heappush(heap, started_ns)
    else:
        heapq.heappushpop(heap, started_ns)


def _read_each(store: Store, files: list[StoredRecording]) -> Iterator[Listed]:
    """Yield the header of each file, in order; those of a cloud's store several at a time."""
    if isinstance(store, DirectoryStore):
        for one in files:
            yield read(store, one)
        return
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for begin in range(0, len(files), 2 * _AT_ONCE):
            yield from pool.map(lambda one: read(store, one), files[begin : begin + 2 * _AT_ONCE])


def read(store: Store, stored: StoredRecording) -> Listed:
    """Return the header of one file of the store, or why it can't be read.

    Raises:
        StoreError: a cloud's store can't be read.
    """
    if not isinstance(store, DirectoryStore):
        try:
            return Listed(stored, load_header(_beginning(store, stored.path)))
        except (RecordingError, NotStored, DamagedPack) as error:
            locked = isinstance(error, LockedRecording)
            return Listed(stored, None, f"{stored.path}: {error}", locked)
    try:
        return Listed(stored, load_header(Path(store.root, stored.path)))
    except RecordingError as error:
        reason = str(error).replace(f"{store.root}/", "")
        return Listed(stored, None, reason, isinstance(error, LockedRecording))


def _beginning(store: Store, path: str) -> bytes:
    if isinstance(store, PackedStore):
        beginning = store.beginning(path, _BEGINNING_BYTES)
        if not (is_encrypted(beginning) and has_identities()):
            return beginning
    return store.get(path)
