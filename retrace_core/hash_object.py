"""Hash object: one of hashlib's that keeps what it is fed, so that its digest is an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call_free
from retrace_core.hashing import KIND, LARGEST, MOST, fingerprint, padded
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from retrace_core.lanes import Lane

__all__ = ["HashObject", "keeping"]


class HashObject:
    """Does what a hash does, in a request whose recording is masked.

    Args:
        made: the hash.
        fed: what it was fed so far.
    """

    __slots__ = ("_fed", "_hash", "_size")

    def __init__(self, made: Any, fed: list[bytes]) -> None:
        self._hash = made
        self._fed = fed
        self._size = sum(map(len, fed))

    def __repr__(self) -> str:
        return repr(self._hash)

    @property
    def name(self) -> str:
        """Of the algorithm."""
        return self._hash.name  # type: ignore[no-any-return]

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
        if self._size <= LARGEST:
            self._size += memoryview(obj).nbytes
            self._fed.append(bytes(obj))

    def copy(self) -> HashObject:
        """Return another that goes on from here."""
        other = HashObject(self._hash.copy(), self._fed[:])
        other._size = self._size
        return other

    def digest(self) -> bytes:
        """Return the digest: on replay of what is masked, the recorded one."""
        lane: Any = current()
        if lane is None or not _may_keep(lane, self._size):
            return self._hash.digest()  # type: ignore[no-any-return]
        hashed = padded(b"".join(self._fed))
        asked = fingerprint(hashed) if lane.mode == REPLAY else hashed
        digest: bytes = call_free(lane, KIND, [self.name, asked], self._hash.digest)
        return digest

    def hexdigest(self) -> str:
        """Return the digest in hex."""
        return self.digest().hex()


def keeping(lane: Lane, made: Any, fed: Any) -> Any:
    """Return a hash that keeps what it is fed, or the same where nothing is masked."""
    if not getattr(lane.scope, "masks", None):
        return made
    return HashObject(made, [] if fed is None else [bytes(fed)])


def _may_keep(lane: Lane, size: int) -> bool:
    """Return True unless it is large, or a lane has kept as much as it may; counts this one."""
    if size > LARGEST:
        return False
    lane.hashes += size + 64
    return lane.hashes <= MOST
