"""Hashing: digests are recorded where secrets are masked; what was hashed is kept by fingerprint.

A replay of a masked recording hashes pseudonyms. Which digest was recorded of the same, masked,
is found by a fingerprint, which the writer puts in the place of what was hashed.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "KIND",
    "LARGEST",
    "MOST",
    "ROOM",
    "Fed",
    "fingerprint",
    "has_address",
    "keep_by",
    "kept",
    "padded",
]

_ADDRESS = re.compile(rb"(?<= at 0x)[0-9a-f]{6,16}(?=>)")
_QUOTE = rb"(?:\\?[\"']|&(?:quot|#34|#39|#x27);)"
_FORGERY = re.compile(
    rb"((?:csrf|xsrf|authenticity)[\w-]{0,40}"
    rb"(?:" + _QUOTE + rb"[^<>]{0,120}?" + _QUOTE + rb"|\s[^<>]{0,120}?\b(?:value|content)=))"
    rb"[\w.+/=-]{16,200}(?=" + _QUOTE + rb"|[\s>])",
    re.IGNORECASE,
)
"""The token of a form, or of a page's head, against forged requests: of the session's secret and
of what was drawn, made anew for each page."""

KIND: Final = "free.hashlib.digest"
LARGEST: Final = 32 * 1024
"""What has more bytes is not kept: its digest is reckoned on replay."""
MOST: Final = 256 * 1024
"""So many bytes of what is hashed are kept in a lane, for each digest 64 more."""
ROOM: Final = 16
"""So many bytes a fingerprint takes."""


class Fed:
    """What a hash, or a signature, was fed.

    Args:
        most: so many bytes of it are kept, and of more none.
        whole: False where the first of it stands for what it was fed before, or for its options.
    """

    __slots__ = ("_most", "_parts", "size", "whole")

    def __init__(self, most: int, *, whole: bool = True) -> None:
        self._most = most
        self.whole = whole
        self._parts: list[bytes] = []
        self.size = 0
        """How many bytes it is."""

    @property
    def is_kept(self) -> bool:
        """True unless it was too much."""
        return self.size <= self._most

    def add(self, data: Any) -> None:
        """Take note of more."""
        self.size += memoryview(data).nbytes
        if self.is_kept:
            self._parts.append(bytes(data))
        else:
            self._parts.clear()

    def copy(self) -> Fed:
        """Return another that goes on from here."""
        other = Fed(self._most, whole=self.whole)
        other._parts, other.size = self._parts[:], self.size
        return other

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __bytes__(self) -> bytes:
        return b"".join(self._parts)


_keepers: list[Callable[..., Any]] = []


def keep_by(keeper: Callable[..., Any] | None) -> None:
    """Have hashes of recorded requests made such that they keep what they are fed.

    Args:
        keeper: gets lane, hash, what it was fed when made, and as `whole` whether that is all;
            returns what takes its place.
    """
    _keepers[:] = [] if keeper is None else [keeper]


def kept(lane: Any, made: Any, fed: Any, *, whole: bool) -> Any:
    """Return what takes the place of a hash that was made in a lane (called by the hooks)."""
    return _keepers[0](lane, made, fed, whole=whole) if _keepers else made


def padded(hashed: bytes) -> bytes:
    """Return what was hashed with room for a fingerprint."""
    return hashed.ljust(ROOM, b"\0")


def fingerprint(hashed: bytes) -> bytes:
    """Return what stands in the place of what was hashed, padded; it is as long.

    The addresses of objects in it don't count: they are others in each process. Nor do the tokens
    of its forms against forged requests: a replay makes them of a secret that is masked.
    """
    said = _FORGERY.sub(rb"\1", _ADDRESS.sub(b"", hashed))
    return hashlib.blake2b(said, digest_size=ROOM).digest().ljust(len(hashed), b"\0")


def has_address(hashed: bytes) -> bool:
    """Return True where the address of an object is in it, as in `<Session object at 0x7f...>`.

    As of arguments, written down for a cache's key: its digest is another in each process.
    """
    return _ADDRESS.search(hashed) is not None
