"""Repacking: compressed bodies with secrets in them, masked and packed to as many bytes."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from retrace_core.redaction import zlib_streams
from retrace_core.redaction.replacements import Replacement
from retrace_core.redaction.replacing import chosen, within
from retrace_core.redaction.secret_set import BOOT_DIGEST, DIGEST, WHOLE
from retrace_core.stats import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.redaction.compressed import Compressed
    from retrace_core.redaction.replacing import Care
    from retrace_core.redaction.secret_set import SecretSet

    Picked = list[tuple[int, bytes, Replacement]]

__all__ = ["repack", "repack_token"]

_LOOKED_UP = frozenset((DIGEST, BOOT_DIGEST))
_UNFIT = "unfit"
"""The rule by which a body was replaced as a whole."""
_POOR = re.compile(rb"[A-Za-z0-9]")
_FREQUENT = b"e"
_POORER = re.compile(rb"[A-Za-z0-9_-]")
_LETTER = re.compile(rb"[A-Za-z]")
_TRIED = (
    (None, b"0"),
    *((kept, b"0") for kept in (12, 8, 4, 2, 1, 0)),
    *((kept, digit) for kept in (0, 1) for digit in (b"1", b"2", b"3", b"5", b"7", b"8")),
    *((kept, _FREQUENT) for kept in (2, 1, 0)),
)
"""How many characters of pseudonyms are tried where they don't fit, and what is written for the
others: there are sizes which a stream of deflate can't be filled up to, from some sizes."""


def repack(
    data: bytes, found: SecretSet, replacements: dict[bytes, Replacement], care: Care
) -> list[bytes]:
    """Mask what is in the compressed bodies, and return what stands there now.

    Args:
        data: in which they stand.
        found: the bodies; where pieces of them are to be replaced is added to it.
        replacements: of the secrets; pieces that an event may have as well are added to it.
        care: where ordinary words are replaced.

    One that does not fit any more has noughts in its place: the recording is kept.
    """
    texts = tuple(replacements)
    bodies = [
        (one, picked)
        for one in found.compressed
        if (picked := list(chosen(one.plain, 0, texts, replacements, care)))
    ]
    inner: list[bytes] = []
    found.repacked.clear()
    made = _packed(bodies)
    if made is None:
        unfit = [body for body in bodies if _packed([body]) is None]
        bodies = [body for body in bodies if body not in unfit]
        made = _packed(bodies)
        if made is None:  # each does, but not all with masks that are as long
            unfit, bodies, made = [*unfit, *bodies], [], []
        for one, _ in unfit:
            count("redaction.blanked_body")
            _put(data, one, bytes(one.size), _UNFIT, found, replacements)
    for (one, picked), (masks, packed) in zip(bodies, made, strict=True):
        inner += masks
        if not within(one.spans[0][0], found.made):
            found.repacked.append((one.plain, _written(one.plain, picked, masks)))
        _put(data, one, packed, picked[0][2].rule, found, replacements)
    return inner


def repack_token(payload: bytes, says: bytes, picked: Picked) -> tuple[list[bytes], bytes]:
    """Mask what a token says that is compressed; return what stands there now, and the payload.

    Where it does not fit at all, the payload is one that says nothing.

    Args:
        payload: as it stands in the token, after a dot.
        says: what is in it.
        picked: where secrets are in that.
    """
    size = len(base64.urlsafe_b64decode(payload[1:] + b"=" * (-len(payload[1:]) % 4)))
    longest = max(len(text) for _, text, _ in picked)
    for kept in (None, *range(longest - 1, 0, -max(1, longest // 16)), 0):
        masks = [_shortened(now.text, kept, _FREQUENT) for _, _, now in picked]
        packed = zlib_streams.refit(_written(says, picked, masks), size)
        if packed is not None:
            return masks, b"." + base64.urlsafe_b64encode(packed).rstrip(b"=")
    return [], b"." + b"0" * (len(payload) - 1)


def _put(
    data: bytes,
    one: Compressed,
    packed: bytes,
    rule: str,
    found: SecretSet,
    replacements: dict[bytes, Replacement],
) -> None:
    """Have this stand in the place of a body."""
    for place, was, now in _pieces(data, one, packed, rule):
        if one.is_spread and len(was) >= WHOLE:
            replacements[was] = now
        else:
            found.placed.append((place, was, now))


def _packed(bodies: list[tuple[Compressed, Picked]]) -> list[tuple[list[bytes], bytes]] | None:
    """Return what stands in each body now, and the body packed again; None where one doesn't fit.

    Pseudonyms may be harder to compress than what they stand for: where a body would grow, equal
    digits, or a letter that texts are full of, stand in the place of their ends, or of all. In
    all bodies alike: a secret in several of them is one text to the replayed code. Digests are
    left whole as long as that suffices: by them code looks up what it wants next, as Git does.
    """
    rules = frozenset(now.rule for _, picked in bodies for _, _, now in picked)
    both = rules & _LOOKED_UP and rules - _LOOKED_UP
    for whole in (_LOOKED_UP, frozenset[str]()) if both else (frozenset[str](),):
        for kept, other in _TRIED:
            made = [
                (masks, one.refit(_written(one.plain, picked, masks), one.size))
                for one, picked in bodies
                for masks in [[_fitted(now, kept, other, whole) for _, _, now in picked]]
            ]
            fitting = [(masks, packed) for masks, packed in made if packed is not None]
            if len(fitting) == len(bodies):
                return fitting
    return None


def _fitted(now: Replacement, kept: int | None, other: bytes, whole: frozenset[str]) -> bytes:
    return now.text if now.rule in whole else _shortened(now.text, kept, other)


def _shortened(pseudonym: bytes, kept: int | None, other: bytes) -> bytes:
    if kept is None:
        return pseudonym
    if other == _FREQUENT and _LETTER.search(pseudonym):  # what is a number stays one
        return pseudonym[:kept] + _POORER.sub(other, pseudonym[kept:])
    other = b"0" if other == _FREQUENT else other
    return pseudonym[:kept] + _POOR.sub(other, pseudonym[kept:])


def _pieces(
    data: bytes, one: Compressed, packed: bytes, rule: str
) -> Iterator[tuple[int, bytes, Replacement]]:
    """Yield where pieces of a body stand, what stands there, and what takes its place."""
    done = 0
    for begin, end in one.spans:
        piece = packed[done : done + end - begin]
        done += end - begin
        if piece:
            yield begin, data[begin : begin + len(piece)], Replacement(piece, rule, packed=True)


def _written(plain: bytes, picked: Picked, masks: list[bytes]) -> bytes:
    written = bytearray(plain)
    for (place, text, _), mask in zip(picked, masks, strict=True):
        written[place : place + len(text)] = mask
    return bytes(written)
