"""Pack: many recordings in one object, with an index before them.

    magic "RTPACK1\\n" | length of the index | its CRC-32 | index | recordings, one after another

Numbers are 4 bytes, little endian. The index is MessagePack: for each recording folder, service,
span id, where it begins after the index, its length, and its CRC-32. A pack is written once, and
never changed; whoever takes a recording out of one writes another pack.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from retrace_core.errors import DamagedPack
from retrace_core.store.paths import path_of, safe_names

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HEAD_BYTES", "PackEntry", "index_bytes", "make_pack", "read_index", "recording_in"]

_MAGIC = b"RTPACK1\n"
HEAD_BYTES = len(_MAGIC) + 8
"""How long that is which says how long the index is."""
_MOST_INDEX_BYTES = 64 << 20


class _Row(msgspec.Struct, array_like=True, frozen=True):
    folder: str
    service: str
    span_id: str
    start: int
    length: int
    crc: int


_decoder = msgspec.msgpack.Decoder(list[_Row])


@dataclass(frozen=True, slots=True)
class PackEntry:
    """One recording of a pack."""

    path: str
    """Its logical path: always the one with the span id, which nobody else has."""
    folder: str
    service: str
    span_id: str
    start: int
    """Where it begins in the pack's object."""
    length: int
    crc: int


def make_pack(recordings: Sequence[tuple[str, str, str, bytes]]) -> bytes:
    """Return the pack of recordings, each given as the arguments of `Store.put`."""
    rows: list[_Row] = []
    start = 0
    for folder, service, span_id, data in recordings:
        rows.append(_Row(folder, service, span_id, start, len(data), zlib.crc32(data)))
        start += len(data)
    index = msgspec.msgpack.encode(rows)
    head = len(index).to_bytes(4, "little") + zlib.crc32(index).to_bytes(4, "little")
    return b"".join([_MAGIC, head, index, *(data for *_, data in recordings)])


def index_bytes(head: bytes, name: str) -> int:
    """Return how many bytes a pack's head and index have together.

    Args:
        head: how the pack begins, `HEAD_BYTES` or more.
        name: of the pack, for the error.

    Raises:
        DamagedPack: it is no pack.
    """
    if len(head) < HEAD_BYTES or not head.startswith(_MAGIC):
        raise DamagedPack(f"{name} is no pack of recordings, or cut; nothing was changed")
    length = int.from_bytes(head[8:12], "little")
    if length > _MOST_INDEX_BYTES:
        raise DamagedPack(f"{name} is corrupted: its index can't be so long; nothing was changed")
    return HEAD_BYTES + length


def read_index(begin: bytes, size_bytes: int, name: str) -> list[PackEntry]:
    """Return the recordings of a pack, in order; two of one span get numbers as loose ones do.

    Args:
        begin: its head and index, or more.
        size_bytes: of the whole pack.
        name: of the pack, for the error.

    Raises:
        DamagedPack: it is no pack, or damaged.
    """
    end = index_bytes(begin, name)
    index = begin[HEAD_BYTES:end]
    whole = len(index) == end - HEAD_BYTES
    if not whole or zlib.crc32(index) != int.from_bytes(begin[12:16], "little"):
        raise DamagedPack(f"the index of {name} is corrupted; nothing was changed")
    try:
        rows = _decoder.decode(index)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise DamagedPack(f"the index of {name} is corrupted; nothing was changed") from error
    taken: dict[str, int] = {}
    entries: list[PackEntry] = []
    for row in rows:
        fits = 0 <= row.start and 0 <= row.length and end + row.start + row.length <= size_bytes
        if not fits or not safe_names(row.folder, row.service, row.span_id):
            raise DamagedPack(f"{name} is cut, or no pack of ours; nothing was changed")
        path = path_of(row.folder, row.service, row.span_id)
        taken[path] = number = taken.get(path, 0) + 1
        if number > 1:
            path = f"{path.removesuffix('.bin')}.{number}.bin"
        place = (end + row.start, row.length, row.crc)
        entries.append(PackEntry(path, row.folder, row.service, row.span_id, *place))
    return entries


def recording_in(data: bytes, entry: PackEntry, name: str) -> bytes:
    """Return a recording as it came out of a pack.

    Args:
        data: its bytes.
        entry: what the index says of it.
        name: of the pack, for the error.

    Raises:
        DamagedPack: they are not what was put in.
    """
    if len(data) != entry.length or zlib.crc32(data) != entry.crc:
        raise DamagedPack(f"{entry.path} in {name} is cut or corrupted; nothing was changed")
    return data
