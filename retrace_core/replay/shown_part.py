"""Shown part: the beginning or the end of a secret, where a page hides the rest of it.

`1BZG+2******` of a password's hash, as Django's admin shows one, or `sk-...x7Q2` of a key: of the
mask that is another text, and too short to have been found as a part of the secret.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["shown_as_recorded"]

_PART = rb"[A-Za-z0-9+/=_@-]{0,16}"
_HIDDEN = re.compile(
    rb"(" + _PART + rb")(\*{3,}|\.{3,}|(?:\xe2\x80\xa2){3,}|\xe2\x80\xa6)(" + _PART + rb")"
)
"""Stars, points, bullets, an ellipsis; and what is shown before and after them."""
_CLASSES = bytes.maketrans(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/_-", b"x" * 66
)


def shown_as_recorded(recorded: bytes, asked: bytes, masks: Iterable[bytes]) -> bytes:
    """Return what was asked, with the shown parts of masks as they are recorded.

    Args:
        recorded, asked: texts of one length.
        masks: the pseudonyms.
    """
    made: bytearray | None = None
    said: dict[bytes, bytes] = {}
    for hidden in _HIDDEN.finditer(asked):
        begin, end = hidden.span()
        if recorded[begin:end] == hidden[0] or recorded[slice(*hidden.span(2))] != hidden[2]:
            continue
        for group in 1, 3:
            first, last = hidden.span(group)
            was, now = recorded[first:last], hidden[group]
            part = _part_of_mask(was, now, masks, at_end=group == 3)
            if part and said.setdefault(now[part], was[part]) == was[part]:
                made = made or bytearray(asked)
                made[first:last] = was
    return asked if made is None else bytes(made)


def _part_of_mask(was: bytes, now: bytes, masks: Iterable[bytes], *, at_end: bool) -> slice | None:
    """Return what of a shown text is of a mask, where it differs in nothing else."""
    if was == now or was.translate(_CLASSES) != now.translate(_CLASSES):
        return None
    differs = [place for place in range(len(now)) if was[place] != now[place]]
    for cut in range(differs[0] + 1) if not at_end else range(len(now), differs[-1], -1):
        part = slice(0, cut) if at_end else slice(cut, len(now))
        text = now[part]
        if any(mask.endswith(text) if at_end else mask.startswith(text) for mask in masks):
            return part
    return None
