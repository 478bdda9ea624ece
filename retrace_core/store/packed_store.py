"""Packed store: recordings that are objects of their own, and those in packs, as one store.

Packs are in ".packs/<day>/", named by time. The index of each is read once; packs never change.
A recording that is deleted out of one is really gone: what is left becomes the pack's next
generation ("<name>.1-<when the first was kept>.pack"), and then the old one is removed. Of several
generations the last counts, so that a process may be killed between the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from retrace_core.errors import NotStored, StoreError
from retrace_core.ids import names_boot_tape
from retrace_core.store.pack import recording_in
from retrace_core.store.pack_indexes import PackIndexes
from retrace_core.store.pack_rewriting import PackRewriting
from retrace_core.store.paths import FIRST_NAMES, check_path
from retrace_core.store.protocol import END_NS, StoredRecording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from retrace_core.store.blobs import Blob
    from retrace_core.store.object_blobs import ObjectBlobs
    from retrace_core.store.object_store import ObjectStore
    from retrace_core.store.pack import PackEntry
    from retrace_core.store.protocol import Wanted

__all__ = ["PackedStore"]


class PackedStore:
    """Recordings of a bucket, in packs or not; what is put is an object of its own.

    Args:
        loose: the store of those that are in no pack.
    """

    def __init__(self, loose: ObjectStore) -> None:
        self.loose = loose
        self._indexes = PackIndexes(loose.blobs, loose.url)
        self._rewriting = PackRewriting(loose.blobs, self._indexes, loose.url)

    def __repr__(self) -> str:
        return f"PackedStore({self.url!r})"

    @property
    def url(self) -> str:
        """The URL it was opened by."""
        return self.loose.url

    @property
    def usable_here(self) -> bool:
        """False in a process that was forked from one which had reached a cloud."""
        return self.loose.usable_here

    @property
    def blobs(self) -> ObjectBlobs:
        """The named bytes below the same prefix, packs among them."""
        return self.loose.blobs

    def interrupt(self) -> None:
        """Call off the puts that are under way, from another thread."""
        self.loose.interrupt()

    def put(self, folder: str, service: str, span_id: str, data: bytes) -> str:
        """Keep a whole recording under a path of its own; see `ObjectStore.put`."""
        return self.loose.put(folder, service, span_id, data)

    def put_all(self, recordings: Sequence[tuple[str, str, str, bytes]]) -> list[str | StoreError]:
        """Keep several recordings; see `ObjectStore.put_all`."""
        return self.loose.put_all(recordings)

    def get(self, path: str) -> bytes:
        """Return the bytes of the recording at a logical path.

        "trace.bin", where none is called so, is the first that a pack has of its service.

        Raises:
            NotStored: there is none.
            DamagedPack: its pack can't be used.
            StoreError: the path is not one of a recording, or it can't be read.
        """
        known = self._indexes.known.get(path)
        if known is not None:
            try:
                return self._read(*known)
            except NotStored:
                self._indexes.forget()  # its pack was written anew
        try:
            return self.loose.get(path)
        except NotStored as missing:
            return self._read(*self._find(path, missing))

    def _read(self, pack: Blob, entry: PackEntry) -> bytes:
        data = self.blobs.get(pack.key, start=entry.start, length=entry.length)
        return recording_in(data, entry, f"{self.url}/{pack.key}")

    def beginning(self, path: str, length: int) -> bytes:
        """Return how a recording begins, so many bytes or fewer; of a pack all of it."""
        if path in self._indexes.known:
            return self.get(path)
        try:
            return self.blobs.get(path, length=length)
        except NotStored:
            return self.get(path)

    def stat(self, path: str) -> StoredRecording:
        """Return what is known of the recording at a logical path; raises as `get`."""
        try:
            return self.loose.stat(path)
        except NotStored as missing:
            pack, entry = self._find(path, missing)
        return StoredRecording(path, entry.folder, entry.service, entry.length, pack.modified_ns)

    def presign(self, path: str, *, expires_s: int = 3600) -> str:
        """Return a URL by which anybody may read the recording for a time.

        One of a pack is put beside it under the same path: a URL is one of a whole object.

        Raises:
            StoreError: the path is not one of a recording, or the credentials can't sign.
        """
        check_path(path)
        try:
            self.loose.stat(path)
        except NotStored as missing:
            _, entry = self._find(path, missing)
            self.blobs.put(entry.path, self.get(entry.path))
            path = entry.path
        return self.loose.presign(path, expires_s=expires_s)

    def list(self, **wanted: Unpack[Wanted]) -> Iterator[StoredRecording]:
        """Yield what is kept, each once; see `Store.list`.

        Raises:
            DamagedPack: a pack can't be used; the others have been listed by then.
            StoreError: the store can't be read.
        """
        apart: set[str] = set()
        for stored in self.loose.list(**wanted):
            if stored.path.count(".") > stored.folder.count(".") + stored.service.count(".") + 1:
                apart.add(stored.path)  # named by its span, as those of packs are
            yield stored
        for stored in self.list_packed(**wanted):
            if stored.path not in apart:
                yield stored

    def list_packed(
        self,
        *,
        folder: str = "",
        begins: str = "",
        service: str = "",
        since_ns: int = 0,
        until_ns: int = END_NS,
        boot_tapes: bool = False,
    ) -> Iterator[StoredRecording]:
        """Yield what is in packs; see `list`."""
        packs = [one for one in self._indexes.packs() if since_ns <= one.modified_ns <= until_ns]
        for pack, entry in self._indexes.entries(packs):
            tape = names_boot_tape(entry.folder)
            fits = entry.folder == folder if folder else boot_tapes or not tape
            if fits and entry.folder.startswith(begins) and service in ("", entry.service):
                yield StoredRecording(
                    entry.path, entry.folder, entry.service, entry.length, pack.modified_ns
                )

    def delete(self, path: str) -> None:
        """Remove the recording at a logical path, out of its pack as well.

        Raises:
            NotStored: there is none.
            StoreError: the path is not one of a recording, or it can't be removed.
        """
        (error,) = self.delete_all([path])
        if error is not None:
            raise error

    def delete_all(self, paths: Sequence[str]) -> Sequence[StoreError | None]:
        """Remove several recordings; a pack is written anew once for all that are in it.

        Returns:
            None for each that is gone now, or the error for which it is not.
        """
        return self._each(paths, self.loose.delete_all, lambda _path, _data: None)

    def rewrite(
        self, paths: Sequence[str], change: Callable[[str, bytes], bytes]
    ) -> Sequence[StoreError | None]:
        """Change recordings in place; see `RewritableStore.rewrite`.

        A pack is written anew once for all that are in it, and is as old as before.
        """
        return self._each(paths, lambda once: self.loose.rewrite(once, change), change)

    def _each(
        self,
        paths: Sequence[str],
        loose: Callable[[Sequence[str]], Sequence[StoreError | None]],
        change: Callable[[str, bytes], bytes | None],
    ) -> Sequence[StoreError | None]:
        """Change recordings, or take them out, beside packs and in them."""
        packed: dict[str, tuple[Blob, set[str]]] = {}
        places = self._rewriting.places(paths)
        once = list(dict.fromkeys(paths))
        answers = dict(zip(once, loose(once), strict=True))
        for path, pack in places.items():
            if isinstance(answers[path], NotStored):  # it is not beside its pack as well
                answers[path] = None
            if answers[path] is None:
                packed.setdefault(pack.key, (pack, set()))[1].add(path)
        for pack, wanted in packed.values():
            try:
                self._rewriting.rewrite(pack, wanted, change)
            except StoreError as error:
                answers.update(dict.fromkeys(wanted, error))
        return [answers[path] for path in paths]

    def _find(self, path: str, missing: NotStored) -> tuple[Blob, PackEntry]:
        folder, service, name = check_path(path)
        first = name in FIRST_NAMES
        packs = sorted(self._indexes.packs(), key=lambda one: one.key)
        for pack, entry in self._indexes.entries(packs):
            same = (entry.folder, entry.service) == (folder, service)
            if same and (first or entry.path == path):
                return pack, entry
        raise missing
