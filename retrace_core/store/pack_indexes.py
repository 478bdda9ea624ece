"""Pack indexes: what the packs of a store have, each index read once: packs never change."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from retrace_core.errors import DamagedPack, NotStored
from retrace_core.store.pack import HEAD_BYTES, index_bytes, read_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retrace_core.store.blobs import Blob
    from retrace_core.store.object_blobs import ObjectBlobs
    from retrace_core.store.pack import PackEntry

__all__ = ["PACKS", "PackIndexes", "PackName", "pack_name"]

PACKS = ".packs"
_S = 1_000_000_000
_KEY = re.compile(
    r"(?P<base>.+?)(\.(?P<generation>\d{1,6})(-(?P<kept>\d{1,11}))?)?\.pack", re.ASCII
)
_FIRST_BYTES = 16 << 10
"""How much of a pack is read for its index at first: that of some 150 recordings."""
_AT_ONCE = 16


class PackIndexes:
    """The indexes of the packs below a prefix.

    Args:
        blobs: what is below it.
        url: of the store, for errors.
    """

    def __init__(self, blobs: ObjectBlobs, url: str) -> None:
        self._blobs = blobs
        self._url = url
        self._lock = threading.Lock()
        self._indexes: dict[str, list[PackEntry]] = {}
        self.known: dict[str, tuple[Blob, PackEntry]] = {}
        """Path -> where it is, of all indexes that were read."""

    def packs(self) -> Sequence[Blob]:
        """Return the packs that count: of each the last generation."""
        last: dict[str, tuple[int, Blob]] = {}
        for blob in self._blobs.list(PACKS):
            if _KEY.fullmatch(blob.key):
                name = pack_name(blob.key)
                if name.base not in last or last[name.base][0] < name.generation:
                    last[name.base] = (name.generation, _aged(blob))
        return [blob for _, blob in last.values()]

    def entries(self, packs: Sequence[Blob]) -> Iterator[tuple[Blob, PackEntry]]:
        """Yield what the indexes of packs say, pack by pack; a damaged one is told at the end."""
        damaged: DamagedPack | None = None
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for begin in range(0, len(packs), 4 * _AT_ONCE):
                some = packs[begin : begin + 4 * _AT_ONCE]
                for pack, index in zip(some, pool.map(self._index, some), strict=True):
                    if isinstance(index, DamagedPack):
                        damaged = index
                        continue
                    for entry in index:
                        yield pack, entry
        if damaged is not None:
            raise damaged

    def _index(self, pack: Blob) -> Sequence[PackEntry] | DamagedPack:
        with self._lock:
            known = self._indexes.get(pack.key)
        if known is not None:
            return known
        name = f"{self._url}/{pack.key}"
        try:
            begin = self._blobs.get(pack.key, length=min(pack.size_bytes, _FIRST_BYTES))
            end = index_bytes(begin, name)
            if HEAD_BYTES <= len(begin) < end <= pack.size_bytes:
                begin += self._blobs.get(pack.key, start=len(begin), length=end - len(begin))
            entries = read_index(begin, pack.size_bytes, name)
        except DamagedPack as error:
            return error
        except NotStored:
            return []  # its next generation has come
        with self._lock:
            self._indexes[pack.key] = entries
            self.known.update((entry.path, (pack, entry)) for entry in entries)
        return entries

    def forget(self) -> None:
        """Read all anew from now on: others have changed something."""
        with self._lock:
            self.known.clear()
            self._indexes.clear()

    def replaced(self, key: str, after: str) -> None:
        """Take note of a pack's next generation, so that the next deletion finds it at once."""
        with self._lock:
            for entry in self._indexes.pop(key, []):
                self.known.pop(entry.path, None)
        if after:
            self._index(_aged(self._blobs.stat(after)))


class PackName(NamedTuple):
    """What the key of a pack says."""

    base: str
    """What all its generations are called."""
    generation: int = 0
    kept_s: int | None = None
    """When the first generation was kept, in Unix seconds; None where the key does not say."""

    @property
    def key(self) -> str:
        """The key itself."""
        if not self.generation:
            return f"{self.base}.pack"
        kept = "" if self.kept_s is None else f"-{self.kept_s}"
        return f"{self.base}.{self.generation}{kept}.pack"

    def following(self, kept_ns: int) -> PackName:
        """Return the name of the next generation.

        Args:
            kept_ns: when this one was kept, where its name does not say.
        """
        kept_s = kept_ns // _S if self.kept_s is None else self.kept_s
        return PackName(self.base, self.generation + 1, kept_s)

    def before(self) -> Iterator[str]:
        """Yield the keys that earlier generations may have, the oldest first."""
        yield self._replace(generation=0).key
        for number in range(1, self.generation):
            yield self._replace(generation=number, kept_s=None).key
            yield self._replace(generation=number).key


def pack_name(key: str) -> PackName:
    """Return what the key of a pack says.

    Raises:
        DamagedPack: it is no name of a pack.
    """
    match = _KEY.fullmatch(key)
    if match is None:
        raise DamagedPack(f"{key} is no name of a pack; nothing was changed")
    kept = match["kept"]
    return PackName(
        match["base"], int(match["generation"] or 0), None if kept is None else int(kept)
    )


def _aged(pack: Blob) -> Blob:
    """Return a pack as old as its first generation: rewriting makes no recording younger."""
    kept_s = pack_name(pack.key).kept_s
    return pack if kept_s is None else replace(pack, modified_ns=kept_s * _S)
