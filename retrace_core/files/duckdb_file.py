"""DuckDB file: checksums of a database file, and of its log, that are right again.

In a masked recording other texts stand in a file than it had, as long as those: DuckDB would take
it for a corrupt one. Read in DuckDB 2.0 (`storage/single_file_block_manager.cpp`,
`storage/write_ahead_log.cpp`, `common/checksum.cpp`).
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["mend", "with_right_checksums", "with_right_log"]

_MARK, _MARK_AT = b"DUCK", 8
_HEADER, _HEADERS = 4096, 3
"""How large each is, and how many there are; blocks come after them."""
_BLOCK = 256 << 10
_BLOCK_SIZE_AT = 40
"""In a database's header, which are those after the first; 0 in old files."""
_LONGEST_LOG_HEAD = 256
_WORD = 8
_MASK = (1 << 64) - 1
_WORDS_FACTOR, _REST_FACTOR = 0xBF58476D1CE4E5B9, 0xC6A4A7935BD1E995
_START, _REST_START, _REST_SHIFT = 5381, 0xE17A1465, 47


def mend(path: str) -> None:
    """Make the checksums of a database file right, and of the log beside it."""
    for name, mended in ((path, with_right_checksums), (path + ".wal", with_right_log)):
        if not os.path.isfile(name):
            continue
        with open(name, "r+b") as file:
            before = file.read()
            after = mended(before)
            if after != before:
                file.seek(0)
                file.write(after)


def with_right_checksums(data: bytes) -> bytes:
    """Return a database file with right checksums; what is none as it is."""
    if data[_MARK_AT : _MARK_AT + len(_MARK)] != _MARK:
        return data
    size = int.from_bytes(data[_HEADER + _BLOCK_SIZE_AT :][:_WORD], "little") or _BLOCK
    if not _HEADER <= size <= _BLOCK or size % _HEADER:
        return data
    found = bytearray(data)
    begin = 0
    while begin < len(data):
        step = _HEADER if begin < _HEADER * _HEADERS else size
        part = data[begin + _WORD : begin + step]
        if len(part) == step - _WORD and any(part):
            found[begin : begin + _WORD] = _checksum(part)
        begin += step
    return bytes(found)


def with_right_log(data: bytes) -> bytes:
    """Return a log with right checksums; what is none as it is."""
    found = bytearray(data)
    for head in range(_LONGEST_LOG_HEAD):
        entries = list(_entries(data, head))
        if entries and entries[-1][1] == len(data):
            for begin, end in entries:
                found[begin - _WORD : begin] = _checksum(data[begin:end])
            break
    return bytes(found)


def _entries(data: bytes, place: int) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each entry's content: its size and checksum stand before it."""
    while place + 2 * _WORD <= len(data):
        size = int.from_bytes(data[place : place + _WORD], "little")
        begin = place + 2 * _WORD
        place = begin + size
        if not size or place > len(data):
            return
        yield begin, place


def _checksum(data: bytes) -> bytes:
    count, left = divmod(len(data), _WORD)
    found = _START
    for word in struct.unpack(f"<{count}Q", data[: count * _WORD]):
        found ^= word * _WORDS_FACTOR & _MASK
    if left:
        found ^= _checksum_of_rest(data[count * _WORD :])
    return found.to_bytes(_WORD, "little")


def _checksum_of_rest(rest: bytes) -> int:
    found = _REST_START ^ (len(rest) * _REST_FACTOR & _MASK)
    found = (found ^ int.from_bytes(rest, "little")) * _REST_FACTOR & _MASK
    found = (found ^ found >> _REST_SHIFT) * _REST_FACTOR & _MASK
    return found ^ found >> _REST_SHIFT
