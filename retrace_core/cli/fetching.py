"""Fetching: a whole trace out of a store into a folder of this machine, with its boot tapes."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from retrace_core.boot.recording import METHOD
from retrace_core.cli.auditing import audit_reading
from retrace_core.errors import NotStored, RecordingError, StoreError
from retrace_core.store.folder_blobs import FolderBlobs
from retrace_core.trace_file import load_header

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retrace_core.store import Store, StoredRecording

__all__ = ["Fetched", "Fetcher"]


@dataclass(slots=True)
class Fetched:
    """What was fetched."""

    recordings: list[Path] = field(default_factory=lambda: [])
    """Where the recordings are now, in order of their paths."""
    tapes: list[Path] = field(default_factory=lambda: [])
    """Where the boot tapes are."""
    warm_ups: list[Path] = field(default_factory=lambda: [])
    """Where what lies beside them is: the first requests of their processes."""
    missing: list[str] = field(default_factory=lambda: [])
    """Boot tapes that recordings refer to and the store does not have."""
    new_bytes: int = 0
    """How many bytes were not there before."""


class Fetcher:
    """Brings recordings from a store to a folder, under the same logical paths.

    Args:
        store: from.
        root: to; made, for this user alone.
    """

    def __init__(self, store: Store, root: str) -> None:
        self._store = store
        self._root = os.path.abspath(root)
        self._tapes: set[str] = set()

    def fetch(self, wanted: Iterable[StoredRecording]) -> Fetched:
        """Fetch recordings and the boot tapes that they refer to; what is there is kept.

        Raises:
            StoreError: the store can't be read, the folder can't be written, or it has another
                recording under the same path.
        """
        fetched = Fetched()
        listed = sorted(wanted, key=lambda one: one.path)
        new = [one.path for one in listed if not Path(self._root, one.path).exists()]
        audit_reading(self._store, "fetch", new)
        for stored in listed:
            place, data = self._bring(stored, fetched)
            fetched.recordings.append(place)
            try:
                boot = load_header(data).boot
            except RecordingError:
                continue  # whoever reads it is told
            if boot:
                self._bring_tape(boot.partition("/")[0], fetched)
        return fetched

    def _bring_tape(self, folder: str, fetched: Fetched) -> None:
        if folder in self._tapes:
            return
        self._tapes.add(folder)
        before = len(fetched.tapes)
        try:
            for one in self._store.list(folder=folder):
                place, data = self._bring(one, fetched)
                (fetched.tapes if _is_tape(data) else fetched.warm_ups).append(place)
        except NotStored:
            pass
        if len(fetched.tapes) == before:
            fetched.missing.append(folder)

    def _bring(self, stored: StoredRecording, fetched: Fetched) -> tuple[Path, bytes]:
        place = Path(self._root, stored.path)
        try:
            if place.stat().st_size == stored.size_bytes:
                data = place.read_bytes()
                os.utime(place, ns=(time.time_ns(), stored.modified_ns))
                return place, data
        except OSError:
            pass  # it is not there
        data = self._store.get(stored.path)
        blobs = FolderBlobs(self._root)
        if not blobs.put(stored.path, data) and blobs.get(stored.path) != data:
            raise StoreError(
                f"{place} is there and is another recording than that of {self._store.url};"
                " give another folder with --to"
            )
        fetched.new_bytes += len(data)
        # As old as in the store, and just used, for what goes by that.
        os.utime(place, ns=(time.time_ns(), stored.modified_ns))
        return place, data


def _is_tape(data: bytes) -> bool:
    try:
        return load_header(data).method == METHOD
    except RecordingError:
        return True  # encrypted to somebody else
