"""Pickled texts: objects of Python's in base64, as Django's cache in a database keeps them.

They are looked into as JSON in base64 is. A pickle says how long each text in it is, and a
pseudonym is as long as what it stands for.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["MARKS", "encoded_pickles", "is_pickle"]

MARKS = (b"gasv", b"gawv")
"""What they begin with, by protocol, in small letters."""
_ENCODED = re.compile(rb"(?<![A-Za-z0-9+/])gA[SW]V[A-Za-z0-9+/]{12,}(?![A-Za-z0-9+/])")
_HEADS = (b"\x80\x04\x95", b"\x80\x05\x95")
_END = b"."


def encoded_pickles(text: bytes, places: Iterable[int]) -> Iterator[tuple[bytes, bytes]]:
    """Yield (pickle in base64, decoded) where it stands in a text.

    Args:
        text: any.
        places: where its first letters stand, in whatever case.
    """
    for place in places:
        match = _ENCODED.match(text, place)
        says = _decoded(match[0]) if match is not None else None
        if match is not None and says is not None and says.endswith(_END):
            yield match[0], says


def is_pickle(says: bytes) -> bool:
    """Return True for what is a pickle, decoded: it is in the usual alphabet of base64."""
    return says.startswith(_HEADS)


def _decoded(text: bytes) -> bytes | None:
    try:
        raw = base64.b64decode(text + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).rstrip(b"=") == text else None
