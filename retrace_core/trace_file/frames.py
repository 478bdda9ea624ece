"""Frames: the layout that dump and load share.

    file    = magic (8 bytes), version (u16), reserved (u16, 0), frame ...
    frame   = type (u8), flags (u8), stored length (u32), raw length (u32), crc32 (u32), payload

All integers are big-endian. The checksum covers the first ten bytes of the frame and the
payload as stored. Flag 1: the payload is a zstd frame; the other bits are the number of the
dictionary it was made with, 0 for none.
"""

from __future__ import annotations

import struct
import threading
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import zstandard

from retrace_core.errors import ForeignFile, NewerVersion, TornRecording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["TRACE_VERSION", "compress_all", "frame_bytes", "preamble", "read_frames"]

MAGIC: Final = b"\x89RETRACE"
TRACE_VERSION: Final = 1
HEADER, BODY, FOOTER = 1, 2, 3
_ZSTD: Final = 1
_DICTIONARY: Final = 3
"""Number of the dictionary to write with; older ones stay beside it, to read with."""
_PREAMBLE: Final = struct.Struct(">8sHH")
_FRAME: Final = struct.Struct(">BBIII")
_HEAD: Final = struct.Struct(">BBII")
LIMIT_BYTES: Final = 512 << 20
"""More than this in one file, uncompressed, is refused."""
_LEVEL = 1
_DICTIONARY_MAX = 64 * 1024
"""Larger payloads are compressed without the dictionary: it pays for small ones."""

_WORTHWHILE = 32
"""Payloads up to this many bytes are not compressed."""

_compressors = threading.local()


@cache
def _dictionary(number: int) -> zstandard.ZstdCompressionDict:
    """Return a dictionary of ours; raises FileNotFoundError for one that we don't have."""
    data = Path(__file__).with_name(f"dictionary-{number}.bin").read_bytes()
    return zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_FULLDICT)


@cache
def _prepared_dictionary() -> zstandard.ZstdCompressionDict:
    # An object of its own, prepared once: again would free what other compressors still use.
    dictionary = _dictionary.__wrapped__(_DICTIONARY)
    dictionary.precompute_compress(level=_LEVEL)
    return dictionary


def _compressor(small: bool) -> zstandard.ZstdCompressor:
    # A new compressor costs more than a small recording; one of them serves one thread.
    name = "small" if small else "large"
    found: zstandard.ZstdCompressor | None = getattr(_compressors, name, None)
    if found is None:
        options: Any = {}
        if small:
            options["dict_data"] = _prepared_dictionary()
        found = zstandard.ZstdCompressor(
            level=_LEVEL,
            write_checksum=False,
            write_content_size=True,
            write_dict_id=False,
            **options,
        )
        setattr(_compressors, name, found)
    return found


def preamble() -> bytes:
    """Return what each trace file begins with."""
    return _PREAMBLE.pack(MAGIC, TRACE_VERSION, 0)


def frame_bytes(kind: int, raw: bytes, packed: bytes | None = None) -> bytes:
    """Return one frame with `raw` as its payload, compressed where that is shorter.

    Args:
        kind: the frame's type.
        raw: the payload.
        packed: it compressed by `compress_all`, where that was done before.
    """
    small = len(raw) <= _DICTIONARY_MAX
    stored, flags = raw, 0
    if packed is None and len(raw) > _WORTHWHILE:
        packed = _compressor(small).compress(raw)
    if packed and len(packed) < len(raw):
        stored, flags = packed, _ZSTD | (_DICTIONARY << 1 if small else 0)
    head = _HEAD.pack(kind, flags, len(stored), len(raw))
    return (
        _FRAME.pack(kind, flags, len(stored), len(raw), zlib.crc32(stored, zlib.crc32(head)))
        + stored
    )


def compress_all(payloads: list[bytes]) -> list[bytes | None]:
    """Return each payload compressed, or None where `frame_bytes` is to look at it alone.

    One call for many gives the interpreter's lock back once: each time costs a fight for it.
    """
    places = [n for n, raw in enumerate(payloads) if _WORTHWHILE < len(raw) <= _DICTIONARY_MAX]
    answers: list[bytes | None] = [None] * len(payloads)
    many = getattr(_compressor(small=True), "multi_compress_to_buffer", None)
    if many is None or not places:  # zstandard without its C part
        return answers
    for place, packed in zip(places, many([payloads[n] for n in places], threads=1), strict=True):
        answers[place] = packed.tobytes()
    return answers


def read_frames(data: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    """Yield (type, payload) of each whole frame.

    Args:
        data: the bytes of the file, or its beginning.
        name: what to call it in messages.

    Raises:
        ForeignFile: it is no trace file.
        NewerVersion: its version is higher than ours.
        TornRecording: a frame is damaged or not there in full.
    """
    if len(data) < _PREAMBLE.size or data[: len(MAGIC)] != MAGIC:
        if data and MAGIC.startswith(data[: len(MAGIC)]):
            raise TornRecording(f"{name} ends in its first bytes; fetch it again")
        what = "is empty" if not data else "is no trace file"
        raise ForeignFile(f"{name} {what}; give the path of a trace.bin")
    _, version, _ = _PREAMBLE.unpack_from(data)
    if version > TRACE_VERSION:
        raise NewerVersion(
            f"{name} has format version {version}, this Retrace reads up to {TRACE_VERSION};"
            " upgrade retrace-mw"
        )
    place, count, total = _PREAMBLE.size, 0, 0
    while place < len(data):
        kind, raw, size = _read_frame(data, place, name, count, LIMIT_BYTES - total)
        yield kind, raw
        place, count, total = place + size, count + 1, total + len(raw)


def _read_frame(
    data: bytes, place: int, name: str, count: int, room: int
) -> tuple[int, bytes, int]:
    def torn(what: str) -> TornRecording:
        return TornRecording(
            f"{name} {what} at byte {place}, after {count} whole frames; fetch it again",
            offset_bytes=place,
            frames=count,
        )

    if place + _FRAME.size > len(data):
        raise torn("ends in the middle of a frame")
    kind, flags, stored_bytes, raw_bytes, crc = _FRAME.unpack_from(data, place)
    start = place + _FRAME.size
    if start + stored_bytes > len(data):
        raise torn("ends in the middle of a frame")
    stored = data[start : start + stored_bytes]
    if zlib.crc32(stored, zlib.crc32(data[place : place + _HEAD.size])) != crc:
        raise torn("is damaged")
    if raw_bytes > room:
        raise torn(f"claims more than {LIMIT_BYTES} bytes")
    if not flags & _ZSTD:
        if stored_bytes != raw_bytes:
            raise torn("is damaged")
        return kind, stored, _FRAME.size + stored_bytes
    return (
        kind,
        _decompress(stored, raw_bytes, flags >> 1, name, torn),
        _FRAME.size + stored_bytes,
    )


def _decompress(
    stored: bytes, raw_bytes: int, dictionary: int, name: str, torn: Callable[[str], TornRecording]
) -> bytes:
    try:
        options: Any = {"dict_data": _dictionary(dictionary)} if dictionary else {}
    except FileNotFoundError:
        raise NewerVersion(
            f"{name} was compressed with dictionary {dictionary}, which this Retrace does not"
            " have; upgrade retrace-mw"
        ) from None
    try:
        # The size inside the zstd frame is checked first: it is what gets allocated.
        if zstandard.frame_content_size(stored) != raw_bytes:
            raise zstandard.ZstdError("its sizes disagree")
        raw = zstandard.ZstdDecompressor(**options).decompress(stored, max_output_size=raw_bytes)
    except zstandard.ZstdError as error:
        raise torn(f"can't be decompressed ({error})") from None
    if len(raw) != raw_bytes:
        raise torn("is damaged")
    return raw
