"""Shipper: takes what waits in a spool to a store, and removes it once the store has it.

A file is claimed by renaming it, under a lock that one process has; whatever a dead one had
claimed is shipped first. A recording that reached the store although nobody heard of it is
recognised by its bytes, a pack by its name, so that neither is ever there twice.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrace_core.errors import DamagedPack, StoreError
from retrace_core.stats import count
from retrace_core.store.dated_store import DatedStore
from retrace_core.store.directory import DirectoryStore
from retrace_core.store.object_puts import BlobBatch
from retrace_core.store.pack import read_index, recording_in
from retrace_core.store.pack_indexes import PACKS
from retrace_core.store.paths import day_of, safe_names
from retrace_core.store.putting import put_each
from retrace_core.store.spool_budget import SpoolBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retrace_core.store.protocol import Store
    from retrace_core.store.spool import Spool, Spooled

__all__ = ["Pass", "Shipper", "pack_key"]

_BATCH, _BATCH_BYTES = 64, 8 << 20
"""How many files are under way at a time, and about how large they are together."""

_logger = logging.getLogger("retrace")


@dataclass(slots=True)
class Pass:
    """What one pass over a spool came to."""

    shipped: int = 0
    """Recordings that the store has confirmed."""
    shipped_bytes: int = 0
    refused: int = 0
    """Recordings that no store would take, put aside."""
    left: int = 0
    """Files that still wait."""
    error: StoreError | None = None
    """Why it ended early."""
    busy: bool = False
    """True where another shipper has the spool."""


class Shipper:
    """Ships from one spool to one store.

    Args:
        spool: from.
        store: to.
    """

    def __init__(self, spool: Spool, store: Store) -> None:
        self.spool = spool
        self.store = store

    def ship(self, stopped: Callable[[], bool] = lambda: False) -> Pass:
        """Ship all that is there, unless another does, until the store fails or one is stopped.

        Args:
            stopped: asked between batches.

        Raises:
            StoreError: the spool itself can't be used.
        """
        done = Pass()
        with self.spool.lock() as mine:
            if not mine:
                done.busy = True
                return done
            SpoolBudget(self.spool, 0).settle()
            for batch in self._batches():
                if stopped():
                    break
                self._ship(batch, done)
                if done.error is not None:
                    break
            done.left = len(self.spool.list()) + len(self.spool.list("claimed"))
        return done

    def _batches(self) -> Iterator[list[Spooled]]:
        """Yield claimed files, those of a dead shipper first, then failures, then the oldest."""
        seen: set[str] = set()
        while True:
            left = [(one, True) for one in self.spool.list("claimed") if one.name not in seen]
            new = [(one, False) for one in self.spool.list() if one.name not in seen]
            if not left and not new:
                return
            batch: list[Spooled] = []
            total = 0
            order = sorted(left + new, key=lambda it: (not it[1], -it[0].rank, it[0].time_ns))
            for one, claimed in order:
                seen.add(one.name)
                if not claimed and not self.spool.claim(one):
                    continue  # dropped meanwhile
                batch.append(one)
                total += one.size_bytes
                if len(batch) >= _BATCH or total >= _BATCH_BYTES:
                    yield batch
                    batch, total = [], 0
            if batch:
                yield batch

    def _ship(self, batch: list[Spooled], done: Pass) -> None:
        read: list[tuple[Spooled, bytes]] = []
        for one in batch:
            try:
                read.append((one, self.spool.read(one)))
            except StoreError as error:
                done.error = error
                return
        damaged: list[tuple[tuple[Spooled, bytes], StoreError | None]] = []
        whole: list[tuple[Spooled, bytes]] = []
        for file in read:
            damage = _damage(*file)
            damaged.append((file, damage)) if damage else whole.append(file)
        loose = [file for file in whole if not file[0].is_pack]
        packs = [file for file in whole if file[0].is_pack]
        begun = time.monotonic()
        for (one, data), answer in [
            *damaged,
            *self._put_loose(loose),
            *self._put_packs(packs),
        ]:
            if answer is None:
                self.spool.confirm(one)
                count("shipped", one.count)
                done.shipped += one.count
                done.shipped_bytes += len(data)
            elif not _is_its_own(one, answer):
                done.error = answer
            else:
                self.spool.refuse(one)
                done.refused += one.count
                count("dropped.refused", one.count)
                _logger.error("retrace: put aside in %s/refused: %s", self.spool.root, answer)
        count("ship_us", int((time.monotonic() - begun) * 1e6))

    def _put_loose(
        self, files: list[tuple[Spooled, bytes]]
    ) -> list[tuple[tuple[Spooled, bytes], StoreError | None]]:
        recordings = [(one.folder, one.service, one.span_id, data) for one, data in files]
        if isinstance(self.store, DatedStore):
            given = self.store.put_on(recordings, [one.time_ns for one, _ in files])
            errors = [one if isinstance(one, StoreError) else None for one in given]
        else:
            errors = self._put_recordings(recordings)
        return list(zip(files, errors, strict=True))

    def _put_recordings(
        self, recordings: list[tuple[str, str, str, bytes]]
    ) -> list[StoreError | None]:
        if not recordings:
            return []
        answers = put_each(self.store, recordings, [False for _ in recordings])
        return [one if isinstance(one, StoreError) else None for one in answers]

    def _put_packs(
        self, files: list[tuple[Spooled, bytes]]
    ) -> list[tuple[tuple[Spooled, bytes], StoreError | None]]:
        if isinstance(self.store, DirectoryStore):  # there each has a file of its own
            return [(file, self._put_unpacked(*file)) for file in files]
        keyed = [(pack_key(one), data) for one, data in files]
        blobs = self.store.blobs
        if isinstance(blobs, BlobBatch):
            return list(zip(files, blobs.put_all(keyed), strict=True))
        errors: list[StoreError | None] = []
        for key, data in keyed:
            try:
                blobs.put(key, data)  # taken: it is this one
            except StoreError as error:
                errors.append(error)
            else:
                errors.append(None)
        return list(zip(files, errors, strict=True))

    def _put_unpacked(self, one: Spooled, data: bytes) -> StoreError | None:
        try:
            recordings = [
                (
                    entry.folder,
                    entry.service,
                    entry.span_id,
                    recording_in(data[entry.start : entry.start + entry.length], entry, one.name),
                )
                for entry in read_index(data, len(data), one.name)
            ]
        except DamagedPack as error:
            return error
        failed = [error for error in self._put_recordings(recordings) if error is not None]
        return failed[0] if failed else None


def _damage(one: Spooled, data: bytes) -> StoreError | None:
    """Return what is wrong with a file: a power cut may have taken what was not on the disk."""
    try:
        if len(data) != one.size_bytes:
            raise DamagedPack(f"{one.name} has lost its end; nothing of it was shipped")
        if one.is_pack:
            read_index(data, len(data), one.name)
    except DamagedPack as error:
        return error
    return None


def _is_its_own(one: Spooled, error: StoreError) -> bool:
    """Return True where a file itself is wrong, and no store would take it, ever."""
    safe = one.is_pack or safe_names(one.folder, one.service, one.span_id)
    return isinstance(error, DamagedPack) or not safe


def pack_key(one: Spooled) -> str:
    """Return the key of a pack in its store: by day and time, so that a time finds it."""
    hour = time.strftime("%H%M%S", time.gmtime(one.time_ns / 1e9))
    return f"{PACKS}/{day_of(one.time_ns)}/{hour}-{one.time_ns % 10**9:09d}-{one.span_id}.pack"
