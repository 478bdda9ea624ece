"""Salted: a digest and its salt, in one text with nothing between them.

Such a text is masked as a whole where it is stored; a request takes it apart by length, and reckons
the digest of the salt. So what is masked are its parts, too, and each as it is in the whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from retrace_core.redaction.replacements import Replacement

__all__ = ["with_parts"]

_HEX = re.compile(rb"[0-9a-f]{48,192}")
_DIGESTS = (128, 96, 64, 40, 32)
_SALTS = (64, 32, 16)
"""How many digits they have."""
_WHOLE = (128, 64)
"""What has so many is taken for a digest; SHA-384, which would have 96, is rare."""
_LENGTHS = frozenset(digest + salt for digest in _DIGESTS for salt in _SALTS) - {*_WHOLE}
_LEAST = 32
"""What has less digits is not looked for by itself."""


def with_parts(
    replacements: Mapping[bytes, Replacement], secrets: Iterable[bytes]
) -> dict[bytes, Replacement]:
    """Return what is replaced, with the parts of those secrets that are such texts."""
    made = dict(replacements)
    for text in secrets:
        whole = replacements.get(text) if len(text) in _LENGTHS else None
        if whole is None or whole.number or not _HEX.fullmatch(text):
            continue
        mask = whole.of(text).text
        for begin, end in _parts(len(text)):
            known = replacements.get(text[begin:end])
            if known is not None:  # it was found by itself
                mask = mask[:begin] + known.of(text[begin:end]).text + mask[end:]
        made[text] = whole._replace(written=mask)
        for begin, end in _parts(len(text)):
            if end - begin >= _LEAST:
                part, masked = text[begin:end], mask[begin:end]
                made.setdefault(part, whole._replace(written=masked))
                raw = bytes.fromhex(part.decode())
                made.setdefault(raw, whole._replace(written=bytes.fromhex(masked.decode())))
    return made


def _parts(length: int) -> Iterator[tuple[int, int]]:
    for digest in _DIGESTS:
        if length - digest in _SALTS:
            yield from ((0, digest), (digest, length), (0, length - digest))
            yield length - digest, length
