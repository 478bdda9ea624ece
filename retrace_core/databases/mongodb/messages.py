"""Messages: what an OP_MSG asks, without what differs from process to process.

Source: MongoDB Wire Protocol, OP_MSG and OP_COMPRESSED.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from pymongo.compression_support import decompress

from retrace_core.databases.mongodb.documents import plain_document

__all__ = ["Question", "question_of"]

_HEADER, _COMPRESSED, _INT = struct.Struct("<iiii"), struct.Struct("<iiB"), struct.Struct("<i")
_OP_COMPRESSED = 2012
_MORE_TO_COME = 1 << 1
_CHECKSUM = 1 << 0
_OF_THE_PROCESS = ("lsid", "txnNumber", "$clusterTime", "operationTime", "maxTimeMS")
"""Ids of sessions, how far the cluster's clock is, and what is left of a time-out."""


class Question(NamedTuple):
    """What one message asks."""

    command: dict[str, Any]
    """The command, plain, with the documents that came beside it under their names."""
    unacknowledged: bool
    """True when no answer comes."""


def question_of(message: bytes) -> Question:
    """Return what a whole message asks, header and all; it may be compressed.

    Raises:
        ValueError: it is no OP_MSG.
    """
    _, _, _, code = _HEADER.unpack_from(message)
    body = memoryview(message)[_HEADER.size :]
    if code == _OP_COMPRESSED:
        _, size, compressor = _COMPRESSED.unpack_from(body)
        body = memoryview(_decompressed(bytes(body[_COMPRESSED.size :]), compressor, size))
    (flags,) = _INT.unpack_from(body)
    end = len(body) - (4 if flags & _CHECKSUM else 0)
    command: dict[str, Any] = {}
    place = 4
    while place < end:
        kind = body[place]
        (size,) = _INT.unpack_from(body, place + 1)
        section = body[place + 1 : place + 1 + size]
        if size < 5 or place + 1 + size > end:
            raise ValueError("a section of the message is cut off")
        if kind == 0:
            command.update(plain_document(section))
        elif kind == 1:
            name, documents = _sequence(bytes(section))
            command[name] = documents
        else:
            raise ValueError(f"a section of kind {kind}")
        place += 1 + size
    for name in _OF_THE_PROCESS:
        command.pop(name, None)
    return Question(command, bool(flags & _MORE_TO_COME))


def _sequence(section: bytes) -> tuple[str, list[Any]]:
    end = section.index(0, 4)
    documents, place = [], end + 1
    while place < len(section):
        (size,) = _INT.unpack_from(section, place)
        documents.append(plain_document(section[place : place + size]))
        place += size
    return section[4:end].decode(), documents


def _decompressed(data: bytes, compressor: int, size: int) -> bytes:
    try:
        return decompress(data, compressor, size)
    except TypeError:  # before pymongo 4.16 it took no limit
        return decompress(data, compressor)  # type: ignore[call-arg]
