"""Drawn: the bytes from the system's entropy of which a secret UUID was made.

`uuid.uuid4` draws 16 bytes and puts its version and variant into six of their bits: what was
drawn is masked as the UUID is, so that a replay makes the pseudonym of the masked draw.
Source: RFC 9562, §5.4.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["drawn_for", "is_random_uuid"]

_RANDOM = re.compile(
    rb"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}\1[4][0-9a-fA-F]{3}\1[89abAB][0-9a-fA-F]{3}\1[0-9a-fA-F]{12}"
)
_AFTER_VARIANT, _SIZE = 9, 16


def is_random_uuid(value: bytes) -> bool:
    """Return True for a UUID of version 4, with dashes or without."""
    return len(value) in (32, 36) and _RANDOM.fullmatch(value) is not None


def drawn_for(data: bytes, uuid: bytes, pseudonym: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield (bytes that were drawn for a UUID, what stands for them) as they are in a recording.

    Args:
        data: the recording.
        uuid: one of version 4, in hex.
        pseudonym: what stands for it.
    """
    raw, masked = bytes.fromhex(uuid.replace(b"-", b"").decode()), _raw(pseudonym)
    tail = raw[_AFTER_VARIANT:]
    place = data.find(tail)
    while place >= 0:
        begin = place - _AFTER_VARIANT
        was = data[max(begin, 0) : begin + _SIZE]
        if len(was) == _SIZE and _with_bits_of(raw, was) == was:
            yield was, _with_bits_of(masked, was)
        place = data.find(tail, place + 1)


def _raw(text: str) -> bytes:
    return bytes.fromhex(text.replace("-", ""))


def _with_bits_of(raw: bytes, drawn: bytes) -> bytes:
    """Return a UUID's bytes with those bits in which its version stands as they were drawn."""
    made = bytearray(raw)
    made[6] = drawn[6] & 0xF0 | raw[6] & 0x0F
    made[8] = drawn[8] & 0xC0 | raw[8] & 0x3F
    return bytes(made)
