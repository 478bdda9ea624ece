"""Hashing: digests are recorded where secrets are masked; what was hashed is kept by fingerprint.

A replay of a masked recording hashes pseudonyms. Which digest was recorded of the same, masked,
is found by a fingerprint, which the writer puts in the place of what was hashed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KIND", "LARGEST", "MOST", "fingerprint", "keep_by", "kept", "padded"]

KIND: Final = "free.hashlib.digest"
LARGEST: Final = 32 * 1024
"""What has more bytes is not kept: its digest is reckoned on replay."""
MOST: Final = 256 * 1024
"""So many bytes of what is hashed are kept in a lane, for each digest 64 more."""
_SIZE = 16

_keepers: list[Callable[[Any, Any, Any], Any]] = []


def keep_by(keeper: Callable[[Any, Any, Any], Any] | None) -> None:
    """Have hashes of recorded requests made such that they keep what they are fed.

    Args:
        keeper: gets lane, hash and what it was fed when made; returns what takes its place.
    """
    _keepers[:] = [] if keeper is None else [keeper]


def kept(lane: Any, made: Any, fed: Any) -> Any:
    """Return what takes the place of a hash that was made in a lane (called by the hooks)."""
    return _keepers[0](lane, made, fed) if _keepers else made


def padded(hashed: bytes) -> bytes:
    """Return what was hashed with room for a fingerprint."""
    return hashed.ljust(_SIZE, b"\0")


def fingerprint(hashed: bytes) -> bytes:
    """Return what stands in the place of what was hashed, padded; it is as long."""
    return hashlib.blake2b(hashed, digest_size=_SIZE).digest().ljust(len(hashed), b"\0")
