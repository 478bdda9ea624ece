"""Hash object: one of hashlib's that keeps what it is fed, so that its digest is an event."""

from __future__ import annotations

import functools
import hashlib
import zlib
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call_free, mask
from retrace_core.crypto.hashing import KIND, LARGEST, MOST, Fed, fingerprint, padded
from retrace_core.documents import packed_document
from retrace_core.files.file_access import with_recorded_folder
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.lanes import Lane

__all__ = ["HashObject", "keeping"]

_GZIP = b"\x1f\x8b\x08"


class HashObject:
    """Does what a hash does, in a request whose recording is masked.

    Args:
        made: the hash.
        fed: what it was fed so far, and from here on.
    """

    __slots__ = ("_fed", "_hash")

    def __init__(self, made: Any, fed: Fed) -> None:
        self._hash = made
        self._fed = fed

    __class__: Any = property(lambda self: type(self._hash))
    """Passes for the class of the hash, for who asks by `isinstance`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hash, name)

    def __repr__(self) -> str:
        return repr(self._hash)

    @property
    def name(self) -> str:
        """Of the algorithm."""
        return getattr(self._hash, "name", None) or type(self._hash).__name__

    @property
    def digest_size(self) -> int:
        """In bytes."""
        return self._hash.digest_size  # type: ignore[no-any-return]

    @property
    def block_size(self) -> int:
        """In bytes."""
        return self._hash.block_size  # type: ignore[no-any-return]

    def update(self, obj: Any, /) -> None:
        """Hash more."""
        self._hash.update(obj)
        self._fed.add(obj)

    def copy(self) -> HashObject:
        """Return another that goes on from here."""
        return HashObject(self._hash.copy(), self._fed.copy())

    def digest(self) -> bytes:
        """Return the digest: on replay of what is masked, the recorded one."""
        lane: Any = current()
        if lane is None or not self._fed.is_kept:
            return self._hash.digest()  # type: ignore[no-any-return]
        live, fed = self._hash.digest, bytes(self._fed)
        if lane.mode == REPLAY and self._fed.whole:
            said = with_recorded_folder(fed)
            if said != fed:  # a temporary file has another path here
                live, fed = functools.partial(_digest, self.name, said), said
        masks = lane.scope.masks
        if masks is None or not _may_keep(lane, self._fed):
            return live()  # type: ignore[no-any-return]
        hashed = padded(_said(fed))
        if lane.mode == REPLAY:
            return self._recorded_digest(lane, masks, hashed, live)
        digest: bytes = call_free(lane, KIND, [self.name, hashed], live)
        return digest

    def _recorded_digest(
        self, lane: Any, masks: Any, hashed: bytes, live: Callable[[], bytes]
    ) -> bytes:
        """Return the digest that was recorded of the same, masked, if any was.

        What was told otherwise than recorded hashes as the recorded one, and so does what was
        shortened where the code read it, and not where it was hashed.
        """
        said = masks.recorded(hashed)
        whole = masks.lengthened(said)

        def of_whole() -> bytes:
            if whole == said:
                return live()
            return call_free(lane, KIND, [self.name, fingerprint(whole)], live)

        return call_free(lane, KIND, [self.name, fingerprint(said)], of_whole)

    def hexdigest(self) -> str:
        """Return the digest in hex."""
        return self.digest().hex()


def keeping(lane: Lane, made: Any, fed: Any, *, whole: bool) -> Any:
    """Return a hash that keeps what it is fed, or the same where nothing is masked."""
    if lane.mode != REPLAY and not getattr(lane.scope, "masks", None):
        return made
    kept = Fed(LARGEST, whole=whole)
    if fed is not None:
        kept.add(fed)
    return HashObject(made, kept) if kept.is_kept else made


def _said(fed: bytes) -> bytes:
    """Return what was hashed, of what is packed its content: pseudonyms are packed otherwise."""
    said = _unpacked(fed) if fed.startswith(_GZIP) else packed_document.said(fed, LARGEST)
    return fed if said is None or len(said) > MOST else said


def _unpacked(fed: bytes) -> bytes | None:
    """Return what is in a body that gzip packed, as a page is before its ETag is made."""
    inflater = zlib.decompressobj(31)
    try:
        plain = inflater.decompress(fed, MOST + 1)
    except zlib.error:
        return None
    return plain if inflater.eof and not inflater.unused_data else None


def _digest(name: str, data: bytes) -> bytes:
    with mask():
        return hashlib.new(name, data, usedforsecurity=False).digest()


def _may_keep(lane: Lane, fed: Fed) -> bool:
    """Return True unless a lane has kept as much as it may; counts this one."""
    lane.hashes += fed.size + 64
    return lane.hashes <= MOST
