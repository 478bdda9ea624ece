"""Growing folders: the beginnings of a masked digest name folders, each longer than the one before.

Beaker keeps what has the digest 8b1a9953... in 8/8b/8b1a9953....cache. Where that is masked, its
folders must be called as the pseudonym begins, also where they are named alone: they are made
first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from retrace_core import native
from retrace_core.redaction import content_folders
from retrace_core.redaction.content_folders import nearest, texts
from retrace_core.redaction.replacements import Replacement
from retrace_core.redaction.replacing import placed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retrace_core.redaction.replacing import Region

__all__ = ["with_folders"]

_LEAST = 17
"""A digest that is shorter is none."""
_SLASH = b"/"
_INSIDE = re.compile(rb"(?:[0-9a-f]{1,8}/){0,4}[0-9a-f]{17}")
"""How what lies in such a folder goes on, masked or not."""

_Picked = tuple[int, bytes, Replacement]


class _Kept(NamedTuple):
    """A file whose name is a masked digest."""

    begin: int
    """Where its path begins."""
    pieces: tuple[tuple[int, int], ...]
    """Of the path: where the name of a folder begins, and how long it is."""
    mask: Replacement

    def folders(self, data: bytes) -> Iterator[bytes]:
        """Yield the paths of its folders."""
        for at, size in self.pieces:
            yield data[self.begin : self.begin + at + size]

    def renamed(self, data: bytes, begin: int, end: int) -> Iterator[_Picked]:
        """Yield what is replaced in a path that begins and ends there."""
        for at, size in self.pieces:
            if begin + at + size <= end:
                place = begin + at
                made = Replacement(self.mask.text[:size], self.mask.rule)
                yield place, data[place : place + size], made


def with_folders(data: bytes, regions: Sequence[Region], picked: list[_Picked]) -> list[_Picked]:
    """Return what is replaced (place, text, replacement), with the folders of masked digests.

    Those of `content_folders`, and those of this file.

    Args:
        data: the bytes of a recording.
        regions: where they are MessagePack.
        picked: what is replaced in it without them.
    """
    picked = content_folders.with_folders(data, regions, picked)
    named = {place: (text, mask) for place, text, mask in picked if _is_named_by(data, place, text)}
    if not named:
        return picked
    kept: dict[int, _Kept] = {}
    renamed: list[_Picked] = []
    for place, (begin, end) in texts(data, regions, named):
        text, mask = named[place]
        kept[begin] = _Kept(begin, tuple(_pieces(data, begin, place, text)), mask)
        renamed += kept[begin].renamed(data, begin, end)
    paths = tuple({path for one in kept.values() for path in one.folders(data)})
    hits = native.find_all(data, paths, False, 0)  # of one that another begins with, too
    bounds = dict(texts(data, regions, {place for place, _ in hits}))
    for place, which in hits:
        path = paths[which]
        if bounds.get(place) == (place, place + len(path)):
            inside = _inside(data, place, path + _SLASH, kept)
            renamed += [] if inside is None else inside.renamed(data, place, place + len(path))
    return placed(picked, renamed)


def _is_named_by(data: bytes, place: int, text: bytes) -> bool:
    """Return True where a file is named by a digest, and its folder by the beginning of it."""
    if len(text) < _LEAST or data[place - 1 : place] != _SLASH:
        return False
    begin = data.rfind(_SLASH, max(place - 2 - len(text), 0), place - 1) + 1
    return 0 < begin < place - 1 and text.startswith(data[begin : place - 1])


def _pieces(data: bytes, begin: int, place: int, text: bytes) -> Iterator[tuple[int, int]]:
    """Yield where in a path the names of such folders begin, from the last, and their lengths."""
    end = place - 1
    while end > begin:
        start = data.rfind(_SLASH, begin, end) + 1
        if start <= begin or start == end or not text.startswith(data[start:end]):
            return
        yield start - begin, end - start
        end = start - 1


def _inside(data: bytes, place: int, folder: bytes, kept: dict[int, _Kept]) -> _Kept | None:
    """Return the next file in a folder, or the last before; None where its name is in clear."""

    def is_one(at: int) -> bool:
        return at in kept or _INSIDE.match(data, at + len(folder)) is not None

    return kept.get(nearest(data, place, folder, is_one))
