"""Pack rewriting: recordings are taken out of a pack, or changed in it: its next generation.

The next generation is put first, exclusively; then the older ones go. A process may be killed
between the two: of several generations the last counts.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from retrace_core.errors import DamagedPack, NotStored, StoreUnavailable
from retrace_core.store.pack import make_pack, read_index, recording_in
from retrace_core.store.pack_indexes import pack_name
from retrace_core.store.paths import FIRST_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from retrace_core.store.blobs import Blob
    from retrace_core.store.object_blobs import ObjectBlobs
    from retrace_core.store.pack_indexes import PackIndexes

    Change = Callable[[str, bytes], bytes | None]
    """Gets a path and its bytes; returns others, or None to take the recording out."""

__all__ = ["PackRewriting"]

_TRIES = 20


class PackRewriting:
    """Writes packs of a store anew.

    Args:
        blobs: below its prefix.
        indexes: of its packs.
        url: of the store, for errors.
    """

    def __init__(self, blobs: ObjectBlobs, indexes: PackIndexes, url: str) -> None:
        self._blobs = blobs
        self._indexes = indexes
        self._url = url
        self._turn = threading.Lock()

    def places(self, paths: Iterable[str]) -> dict[str, Blob]:
        """Return the pack of each of the paths that is in one."""
        found = {
            path: self._indexes.known[path][0] for path in paths if path in self._indexes.known
        }
        # No path of a pack is called as the first ones are: those have the span.
        rest = {path for path in paths if path not in found and path.count(".bin") == 1}
        rest = {path for path in rest if path.rpartition("/")[2] not in FIRST_NAMES}
        try:
            for pack, entry in self._indexes.entries(self._indexes.packs()) if rest else ():
                if entry.path in rest:
                    found[entry.path] = pack
        except DamagedPack:
            pass  # nothing of that one is touched
        return found

    def rewrite(self, pack: Blob, wanted: set[str], change: Change) -> None:
        """Change recordings of one pack, or take them out of it.

        Args:
            pack: which.
            wanted: paths of the recordings.
            change: what becomes of each; may be called again.

        Raises:
            StoreError: it can't be read or written; all is as it was.
        """
        with self._turn:  # several threads would take turns at writing it anew
            try:
                self._rewrite(pack, wanted, change)
            except NotStored:  # others have written it anew
                self._indexes.forget()
                again: dict[str, tuple[Blob, set[str]]] = {}
                for path, other in self.places(wanted).items():
                    again.setdefault(other.key, (other, set()))[1].add(path)
                for other, some in again.values():
                    self._rewrite(other, some, change)

    def _rewrite(self, pack: Blob, wanted: set[str], change: Change) -> None:
        name, key = pack_name(pack.key), pack.key
        for _ in range(_TRIES):
            data = self._blobs.get(key)
            left: list[tuple[str, str, str, bytes]] = []
            touched = False
            for one in read_index(data, len(data), f"{self._url}/{key}"):
                content: bytes | None = data[one.start : one.start + one.length]
                if one.path in wanted:
                    touched = True
                    checked = recording_in(content or b"", one, f"{self._url}/{key}")
                    content = change(one.path, checked)
                if content is not None:
                    left.append((one.folder, one.service, one.span_id, content))
            after = name.following(pack.modified_ns)
            if not touched or not left or self._blobs.put(after.key, make_pack(left)):
                if touched:
                    # The oldest first: what a killed process left must never count again.
                    for older in after.before():
                        self._blobs.delete(older)
                    self._indexes.replaced(pack.key, after.key if left else "")
                return
            # Another process took something out of it at the same time: take ours out of its.
            name, key = after, after.key
        raise StoreUnavailable(
            f"{self._url}/{pack.key} is changed by others all the time; try again"
        )
