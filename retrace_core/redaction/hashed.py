"""Hashed: what code of a recorded request hashed, of which nothing but what a replay needs is kept.

Where a secret is in what was hashed, the replay hashes its pseudonym, and gets another digest.
So the event keeps a fingerprint of what was hashed, as it is masked, by which the replay finds
the digest; and the digest is masked wherever it stands, as a secret is. So it is where the address
of an object is in it. Of all others neither is kept: a key of the application's may be in what it
hashes, and its digest may be a key.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from retrace_core import native
from retrace_core.crypto.hashing import KIND, ROOM, fingerprint, has_address
from retrace_core.redaction.messagepack import Token, token_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from retrace_core.redaction.replacing import Region

__all__ = ["HASHED", "Hashed", "chained", "hashed_in"]

HASHED = KIND.encode()
"""The kind of such events."""
_HEAD = 8
"""By so many bytes, or twice as many digits, a digest is known within what was hashed."""


class Hashed(NamedTuple):
    """One event, by where its parts are in the bytes of a recording."""

    begin: int
    end: int
    """Of what was hashed."""
    digest_begin: int
    digest_end: int

    def holds(self, places: Sequence[int]) -> bool:
        """Return True when one of these places, in order, is in what was hashed."""
        first = bisect_left(places, self.begin)
        return first < len(places) and places[first] < self.end

    def differs(self, data: bytes, is_masked: Callable[[bytes], bool]) -> bool:
        """Return True where a replay has another digest, though nothing secret was hashed.

        It has the address of an object; or the digest is a secret by where it is stored, as that of
        a password is, which came under a name that nobody knows as one.
        """
        return has_address(data[self.begin : self.end]) or is_masked(
            self.digest_in(data).hex().encode()
        )

    def digest_in(self, data: bytes) -> bytes:
        """Return its digest."""
        return data[self.digest_begin : self.digest_end]

    def keep(self, masked: bytearray, told: bytes) -> None:
        """Put the fingerprint of what was hashed into its place.

        Args:
            masked: the bytes of the recording.
            told: what the replay hashes.
        """
        masked[self.begin : self.end] = fingerprint(told)

    def told(
        self, data: bytes, masked: bytearray, repacked: Sequence[tuple[bytes, bytes]]
    ) -> bytes:
        """Return what a replay hashes.

        In compressed bodies pseudonyms may be shorter, so that they can be packed. Hashed may be a
        part of a body, or a body with something else: revision control hashes what a text comes
        after, too.

        Args:
            data: the bytes of the recording, not masked yet.
            masked: the same, masked.
            repacked: what was in bodies, and what is in them now.
        """
        hashed = data[self.begin : self.end]
        bare = hashed.rstrip(b"\0") if len(hashed) == ROOM else hashed
        for was, now in repacked:
            place = was.find(bare)
            if place >= 0:
                return now[place : place + len(bare)].ljust(len(hashed), b"\0")
        told = masked[self.begin : self.end]
        for was, now in repacked:
            place = hashed.find(was)
            if place >= 0:
                told[place : place + len(was)] = now
        return bytes(told)

    def blank(self, masked: bytearray) -> None:
        """Put zeros into the place of what was hashed, and of the digest."""
        masked[self.begin : self.end] = bytes(self.end - self.begin)
        masked[self.digest_begin : self.digest_end] = bytes(self.digest_end - self.digest_begin)


def chained(data: bytes, hashed: Sequence[Hashed], kept: Sequence[Hashed]) -> list[Hashed]:
    """Return those that are kept, and those which a digest of such a one went into.

    A key is stretched by thousands of hashes, each of the digest before it: they are found here in
    one go, so that not the whole recording is gone through for each.

    Args:
        data: the bytes of the recording.
        hashed: all of them, in order.
        kept: those that have a secret in them.
    """
    if not kept or len(kept) == len(hashed):
        return list(kept)
    chosen, heads, found = frozenset(kept), set[bytes](), list[Hashed]()
    for one in hashed:
        if one in chosen or _has_any(data[one.begin : one.end], heads):
            found.append(one)
            head = one.digest_in(data)[:_HEAD]
            heads.update((head, head.hex().encode()))
    return found


def _has_any(text: bytes, heads: set[bytes]) -> bool:
    return any(
        text[place : place + _HEAD] in heads or text[place : place + 2 * _HEAD] in heads
        for place in range(len(text) - _HEAD + 1 if heads else 0)
    )


def hashed_in(data: bytes, regions: Sequence[Region]) -> Iterator[Hashed]:
    """Yield the events of hashes in the regions; both come in order of their places."""
    places = [place for place, _ in native.find_all(data, (HASHED,), False, 0)]
    for region in regions:
        inside = [place for place in places if region.begin <= place < region.end]
        if not inside or region.head:
            continue
        for bound in native.texts_at(data, region.begin, region.end, inside):
            if bound is not None and data[bound[0] : bound[1]] == HASHED:
                found = _event(data, bound[1])
                if found is not None:
                    yield found


def _event(data: bytes, place: int) -> Hashed | None:
    """Return the event after whose kind this place is: status, [name, hashed], digest."""
    try:
        status = token_at(data, place)
        key = token_at(data, status.end)
        name = token_at(data, key.begin)
        hashed = token_at(data, name.end)
        digest = token_at(data, hashed.end)
    except ValueError:
        return None
    if status.kind != "int" or key.kind != "array" or key.size != 2:
        return None
    return Hashed(*_span(hashed), *_span(digest)) if _texts(name, hashed, digest) else None


def _texts(*tokens: Token) -> bool:
    return all(token.kind == "text" for token in tokens)


def _span(token: Token) -> tuple[int, int]:
    return token.begin, token.end
