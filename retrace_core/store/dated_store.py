"""Dated store: a cloud's store with a folder for each day before the traces.

Opened by a URL that ends with "/{date}". A recording is `<day>/<trace>/<service>/trace.<span>.bin`
below the prefix, and its logical path is the part after the day, always with the span id, which
no other day has. The day is that on which it was kept, in UTC: one that is shipped twice comes to
the same place. Packs have their days in their names, and stay where they are.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Unpack

from retrace_core.errors import NotStored, StoreError
from retrace_core.store.object_store import ObjectStore
from retrace_core.store.paths import (
    FIRST_NAMES,
    check_names,
    check_path,
    day_of,
    path_of,
    safe_names,
    unsafe_names,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from retrace_core.store.object_blobs import ObjectBlobs
    from retrace_core.store.packed_store import PackedStore
    from retrace_core.store.protocol import StoredRecording, Wanted

__all__ = ["DATE", "DatedStore"]

DATE = "/{date}"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class DatedStore:
    """Recordings of a bucket by days.

    Args:
        base: the store below whose prefix the days are; it has the packs.
    """

    def __init__(self, base: PackedStore) -> None:
        self.base = base
        self._days: dict[str, ObjectStore] = {}

    def __repr__(self) -> str:
        return f"DatedStore({self.url!r})"

    @property
    def url(self) -> str:
        """The URL it was opened by."""
        return f"{self.base.url}{DATE}"

    @property
    def usable_here(self) -> bool:
        """False in a process that was forked from one which had reached a cloud."""
        return self.base.usable_here

    @property
    def blobs(self) -> ObjectBlobs:
        """The named bytes below the prefix, the days among them."""
        return self.base.blobs

    def interrupt(self) -> None:
        """Call off the puts that are under way, from another thread."""
        self.base.interrupt()

    def put(self, folder: str, service: str, span_id: str, data: bytes) -> str:
        """Keep a whole recording as one of today, and return its path.

        Raises:
            StoreError: a name is not safe, or it could not be kept.
        """
        check_names(folder, service, span_id)
        (answer,) = self.put_on([(folder, service, span_id, data)], [time.time_ns()])
        if isinstance(answer, StoreError):
            raise answer
        return answer

    def put_on(
        self, recordings: Sequence[tuple[str, str, str, bytes]], times_ns: Sequence[int]
    ) -> list[str | StoreError]:
        """Keep several recordings, each as one of the day of its time."""
        answers: list[str | StoreError] = []
        for folder, service, span_id, _ in recordings:
            if safe_names(folder, service, span_id):
                answers.append(path_of(folder, service, span_id))
            else:
                answers.append(unsafe_names(folder, service))
        numbers = [n for n, answer in enumerate(answers) if isinstance(answer, str)]
        keyed = [(f"{day_of(times_ns[n])}/{answers[n]}", recordings[n][3]) for n in numbers]
        # One that is taken is this one, shipped before: nobody else has its span.
        for n, error in zip(numbers, self.blobs.put_all(keyed), strict=True):
            if error is not None:
                answers[n] = error
        return answers

    def get(self, path: str) -> bytes:
        """Return the bytes of a recording; raises as `PackedStore.get`."""
        found = self._find(path)
        return self.base.get(path) if found is None else found[0].get(found[1])

    def stat(self, path: str) -> StoredRecording:
        """Return what is known of a recording; raises as `get`."""
        found = self._find(path)
        return self.base.stat(path) if found is None else found[0].stat(found[1])

    def presign(self, path: str, *, expires_s: int = 3600) -> str:
        """Return a URL by which anybody may read the recording for a time."""
        found = self._find(path)
        if found is None:
            return self.base.presign(path, expires_s=expires_s)
        return found[0].presign(found[1], expires_s=expires_s)

    def delete(self, path: str) -> None:
        """Remove a recording, out of a pack as well; raises as `PackedStore.delete`."""
        found = self._find(path)
        if found is None:
            self.base.delete(path)
        else:
            found[0].delete(found[1])

    def delete_all(self, paths: Sequence[str]) -> Sequence[StoreError | None]:
        """Remove several recordings, many at a time, out of packs as well.

        Returns:
            None for each that is gone now, or the error for which it is not: `NotStored` for one
            that never was.
        """
        return self._each(paths, lambda store, some: store.delete_all(some))

    def rewrite(
        self, paths: Sequence[str], change: Callable[[str, bytes], bytes]
    ) -> Sequence[StoreError | None]:
        """Change recordings in place; see `RewritableStore.rewrite`."""
        return self._each(paths, lambda store, some: store.rewrite(some, change))

    def _each(
        self,
        paths: Sequence[str],
        work: Callable[[ObjectStore | PackedStore, Sequence[str]], Sequence[StoreError | None]],
    ) -> Sequence[StoreError | None]:
        """Do something to recordings, asking day by day, the newest first, then the packs."""
        real = {path: self._spelled(path) for path in paths}
        once = list(dict.fromkeys(real.values()))
        answers: dict[str, StoreError | None] = {}
        left = once
        stores: list[ObjectStore | PackedStore] = [*self._stores()]
        for store in stores:
            answers.update(zip(left, work(store, left), strict=True))
            left = [path for path in left if isinstance(answers[path], NotStored)]
        for path, answer in zip(once, work(self.base, once), strict=True):
            missing = isinstance(answers.get(path, answer), NotStored)
            if missing or not (answer is None or isinstance(answer, NotStored)):
                answers[path] = answer  # of a pack: it is there alone, or there still
        return [answers[real[path]] for path in paths]

    def _spelled(self, path: str) -> str:
        """Return a path with the span id, where "trace.bin" stands for the first of its service."""
        found = self._find(path) if path.rpartition("/")[2] in FIRST_NAMES else None
        return path if found is None else found[1]

    def list(self, **wanted: Unpack[Wanted]) -> Iterator[StoredRecording]:
        """Yield what is kept, day by day, the newest first, then what is in packs.

        Raises:
            StoreError: the store can't be read.
        """
        for source in (*(day.list for day in self._stores()), self.base.list_packed):
            yield from source(**wanted)

    def _stores(self) -> Iterator[ObjectStore]:
        for day in sorted(filter(_DAY.fullmatch, self.blobs.folders()), reverse=True):
            yield self._days.setdefault(day, ObjectStore(f"{self.base.url}/{day}"))

    def _find(self, path: str) -> tuple[ObjectStore, str] | None:
        """Return the day of a recording, and its path there; None: it is in no day."""
        folder, service, name = check_path(path)
        if name in FIRST_NAMES:
            for day in self._stores():
                for stored in day.list(folder=folder, service=service):
                    return day, stored.path
            return None
        for day in self._stores():
            try:
                day.stat(path)
            except NotStored:
                continue
            return day, path
        return None
