"""Indexing: brings the catalog up to date with its store, from the headers of what is new."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrace_core.catalog.entry import Entry, entry_of
from retrace_core.errors import NotStored, RecordingError, StoreError, TornRecording
from retrace_core.store import is_remote
from retrace_core.trace_file import load_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from retrace_core.catalog.catalog import Catalog
    from retrace_core.recording import Header
    from retrace_core.store import Store, StoredRecording

__all__ = ["Indexed", "read_entry", "rebuild", "update"]

_BATCH = 1000
_HEAD_BYTES = 16 * 1024
"""Where a header mostly ends."""
_OVERLAP_NS = 3600 * 10**9
"""Two hosts that put into a store may differ by so much in what time it is."""
_AT_ONCE = 16
"""Requests to a store in a cloud, each of which waits for the network."""
_TIDY_FROM = 10_000


@dataclass(slots=True)
class Indexed:
    """What bringing a catalog up to date has done."""

    seen: int = 0
    """Recordings that the store has, as far as it was looked at."""
    added: int = 0
    unreadable: int = 0
    """Of those added."""
    removed: int = 0
    """Rows whose recording is gone."""
    took_s: float = 0.0


def update(
    store: Store,
    catalog: Catalog,
    *,
    full: bool = False,
    again: bool = False,
    step: Callable[[], None] = lambda: None,
) -> Indexed:
    """Put what is new in the store into the catalog.

    Of a cloud's store only what was kept since the last time is looked at, with an overlap; of
    a folder everything, for files that were copied there may look old.

    Args:
        store: where recordings are.
        catalog: its catalog.
        full: look at everything, and take out what is gone.
        again: read again what could not be read before.
        step: called for each recording of the store that is looked at.

    Raises:
        StoreError: the store can't be read.
        CatalogError: the catalog can't be written.
    """
    begun_ns = time.monotonic_ns()
    done = Indexed()
    since_ns, newest_ns = 0, int(catalog.fact("listed_ns") or 0)
    if is_remote(store.url) and not full:
        since_ns = max(0, newest_ns - _OVERLAP_NS)
    there: set[str] | None = None
    if again:
        catalog.remove(catalog.unreadable())
    if full:
        there = set()
    for batch in _batches(store.list(since_ns=since_ns)):
        known = catalog.known([one.path for one in batch])
        new = [one for one in batch if known.get(one.path) != (one.size_bytes, one.modified_ns)]
        # Deleted by others, and the path taken by another recording since.
        catalog.remove([one.path for one in new if one.path in known])
        if there is not None:
            there.update(one.path for one in batch)
        entries = list(_read_all(store, new))
        done.seen += len(batch)
        done.added += catalog.add(entries)
        done.unreadable += sum(1 for entry in entries if entry.unreadable)
        newest_ns = max(newest_ns, *(one.modified_ns for one in batch))
        for _ in batch:
            step()
    if there is not None:
        gone = [path for path in catalog.paths() if path not in there]
        catalog.remove(gone)
        done.removed = len(gone)
    if done.added + done.removed >= _TIDY_FROM:
        catalog.tidy()
    took_ns = time.monotonic_ns() - begun_ns
    done.took_s = took_ns / 1e9
    catalog.filled(listed_ns=newest_ns, took_ns=took_ns)
    return done


def rebuild(store: Store, catalog: Catalog, *, step: Callable[[], None] = lambda: None) -> Indexed:
    """Empty the catalog and fill it from the store; args and raises as `update`.

    Meanwhile searches find what is in it so far.
    """
    next(iter(store.list()), None)  # a store that can't be read leaves the catalog as it was
    catalog.clear()
    return update(store, catalog, step=step)


def read_entry(store: Store, stored: StoredRecording) -> Entry | None:
    """Return what the catalog keeps of a recording, or None: it is gone by now."""
    try:
        return entry_of(stored, _header(store, stored))
    except NotStored:
        return None
    except RecordingError as error:
        return entry_of(stored, None, str(error))


def _header(store: Store, stored: StoredRecording) -> Header:
    if stored.size_bytes > _HEAD_BYTES:
        try:
            return load_header(store.blobs.get(stored.path, start=0, length=_HEAD_BYTES))
        except (StoreError, TornRecording):
            pass  # it is in a pack, or its header is longer
    return load_header(store.get(stored.path))


def _read_all(store: Store, found: list[StoredRecording]) -> Iterator[Entry]:
    if is_remote(store.url) and len(found) > 1:
        with ThreadPoolExecutor(_AT_ONCE, "retrace-catalog") as threads:
            yield from filter(None, threads.map(lambda one: read_entry(store, one), found))
    else:
        yield from filter(None, (read_entry(store, one) for one in found))


def _batches(found: Iterable[StoredRecording]) -> Iterator[list[StoredRecording]]:
    batch: list[StoredRecording] = []
    for one in found:
        batch.append(one)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
