"""Plain texts: masked secrets where nothing is escaped, as code and files of settings have them."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from retrace_core.code_literals import LEAST

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["plain_texts"]


def plain_texts(secret: bytes, mask: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield what was masked, as code or a file may have it, with its pseudonym as it is written.

    Args:
        secret: as it stood in the recording.
        mask: what stands there now.
    """
    yield secret, mask
    if b"%" in secret or b"+" in secret:
        yield unquote_to_bytes(secret), mask
        yield unquote_to_bytes(secret.replace(b"+", b" ")), mask
    yield from _credentials(secret, mask)


def _credentials(secret: bytes, mask: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the password in what stands behind `Basic` (RFC 7617), and its pseudonym."""
    if len(secret) < LEAST + 2 or len(secret) % 4:
        return
    try:
        was, now = (base64.b64decode(one, validate=True) for one in (secret, mask))
    except binascii.Error:
        return
    user, colon, password = was.partition(b":")
    if colon and len(was) == len(now):
        yield password, now[len(user) + 1 :]
        yield user, now[: len(user)]
