"""Signed payloads: what a token says that its library compressed, for boundaries of such.

A pseudonym is harder to compress than what it stands for, or easier: packed anew on replay, a
session would be of another size, or would be packed where it was not. So what was unpacked of a
token comes from the recording, and the text that was made of what it shall say. Nothing of it is
recorded where secrets are not masked.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call_free
from retrace_core.crypto.checking import takes_part
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["unpacked", "written"]

_WRITTEN, _UNPACKED = "free.signed.written", "free.signed.unpacked"
_LARGEST = 64 * 1024
"""What is larger is packed and unpacked as ever; a cookie has 4 KiB."""


def written(says: Callable[[], bytes], live: Callable[[], bytes]) -> bytes:
    """Return the payload of a token that is made.

    Args:
        says: gives what the token says, not packed.
        live: makes the payload.
    """
    lane: Any = current()
    if lane is None or not takes_part(lane):
        return live()
    data = says()
    return live() if len(data) > _LARGEST else call_free(lane, _WRITTEN, data, live)


def unpacked(payload: bytes) -> bytes:
    """Return a token's payload, not packed.

    Args:
        payload: base64, after a dot where what it says is packed by zlib.
    """
    lane: Any = current()
    if not payload.startswith(b".") or lane is None or not takes_part(lane):
        return payload
    if len(payload) > _LARGEST:
        return payload
    says = call_free(lane, _UNPACKED, payload, partial(_inflated, payload[1:]))
    return payload if says is None else base64.urlsafe_b64encode(says).rstrip(b"=")


def _inflated(text: bytes) -> bytes | None:
    """Return what is packed in a text; None where it is no such text."""
    try:
        return zlib.decompress(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, zlib.error):
        return None
