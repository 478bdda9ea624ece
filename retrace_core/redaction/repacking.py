"""Repacking: compressed bodies with secrets in them, masked and packed to as many bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retrace_core.redaction.replacing import chosen
from retrace_core.redaction.secret_set import WHOLE, Replacement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.redaction.compressed import Compressed
    from retrace_core.redaction.replacing import Care
    from retrace_core.redaction.secret_set import SecretSet

    Picked = list[tuple[int, bytes, Replacement]]

__all__ = ["repack"]

_POOR = re.compile(rb"[A-Za-z0-9]")
_KEPT = (12, 8, 4, 2, 1, 0)
"""How many characters of pseudonyms are tried where they don't fit."""


def repack(
    data: bytes, found: SecretSet, replacements: dict[bytes, Replacement], care: Care
) -> list[bytes]:
    """Mask what is in the compressed bodies, and return what stands there now.

    Args:
        data: in which they stand.
        found: the bodies; where pieces of them are to be replaced is added to it.
        replacements: of the secrets; pieces that an event may have as well are added to it.
        care: where ordinary words are replaced.

    Raises:
        ValueError: one does not fit any more.
    """
    inner: list[bytes] = []
    if not found.compressed:
        return inner
    texts = tuple(replacements)
    for one in found.compressed:
        picked = list(chosen(one.plain, 0, texts, replacements, care))
        for place, was, now in _repacked(data, one, picked, inner):
            if one.is_spread and len(was) >= WHOLE:
                replacements[was] = now
            else:
                found.placed.append((place, was, now))
    return inner


def _repacked(
    data: bytes, one: Compressed, picked: Picked, inner: list[bytes]
) -> Iterator[tuple[int, bytes, Replacement]]:
    """Yield the pieces of a compressed body with what was picked in it replaced.

    Pseudonyms may be harder to compress than what they stand for: where the body would grow,
    zeros stand in the place of their ends, or of all.
    """
    if not picked:
        return
    masks = [now.text for _, _, now in picked]
    packed = one.refit(_written(one.plain, picked, masks), one.size)
    for kept in _KEPT:
        if packed is None:
            masks = [now.text[:kept] + _POOR.sub(b"0", now.text[kept:]) for _, _, now in picked]
            packed = one.refit(_written(one.plain, picked, masks), one.size)
    if packed is None:
        raise ValueError("a compressed body with secrets in it does not fit any more")
    inner += masks
    done = 0
    for begin, end in one.spans:
        piece = packed[done : done + end - begin]
        done += end - begin
        if piece:
            was = data[begin : begin + len(piece)]
            yield begin, was, Replacement(piece, picked[0][2].rule, packed=True)


def _written(plain: bytes, picked: Picked, masks: list[bytes]) -> bytes:
    written = bytearray(plain)
    for (place, text, _), mask in zip(picked, masks, strict=True):
        written[place : place + len(text)] = mask
    return bytes(written)
