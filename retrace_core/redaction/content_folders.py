"""Content folders: a folder that a masked digest begins the name of, as stores of content have it.

Git keeps what has the digest e789ccbf... in e7/89ccbf...; where that is masked, its folder must be
called as the pseudonym begins, also where the folder is named alone: it is made first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from retrace_core import native
from retrace_core.redaction.replacements import Replacement
from retrace_core.redaction.replacing import placed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from retrace_core.redaction.replacing import Region

__all__ = ["nearest", "texts", "with_folders"]

_LEAST = 17
"""A form of a digest that is shorter is no path."""
_CUTS = (2, 5)
"""After how many characters there may be the name of a folder, and of one in it."""
_SLASH = b"/"
_DIGEST = re.compile(rb"[0-9a-f]{2}/[0-9a-f]{2}/?[0-9a-f]{12}")
"""How the path of something begins, masked or not."""


class _Folder(NamedTuple):
    path: bytes
    cut: int
    """How many characters of it are the digest's."""


def with_folders(
    data: bytes, regions: Sequence[Region], picked: list[tuple[int, bytes, Replacement]]
) -> list[tuple[int, bytes, Replacement]]:
    """Return what is replaced (place, text, replacement), with folders that are named alone.

    Several digests may begin alike: a folder is that of the path which comes next in the recording,
    masked or not, else of the last one before.

    Args:
        data: the bytes of a recording.
        regions: where they are MessagePack.
        picked: what is replaced in it without them.
    """
    digests = {
        place: replacement
        for place, text, replacement in picked
        if len(text) >= _LEAST and text[2:3] == _SLASH == data[place - 1 : place]
    }
    return placed(picked, [*_named_alone(data, regions, digests)]) if digests else picked


def _named_alone(
    data: bytes, regions: Sequence[Region], digests: Mapping[int, Replacement]
) -> Iterator[tuple[int, bytes, Replacement]]:
    folders: dict[bytes, _Folder] = {}
    for place, (begin, _) in texts(data, regions, digests):
        for cut in _CUTS:
            if data[place + cut : place + cut + 1] == _SLASH:
                path = data[begin : place + cut]
                folders[path] = _Folder(path, cut)
    paths = tuple(folders)
    hits = dict(native.find_all(data, paths, False, 0))
    for place, bounds in texts(data, regions, hits):
        folder = folders[paths[hits[place]]]
        if bounds != (place, place + len(folder.path)):
            continue
        digest = _next(data, place, folder, digests)
        if digest is not None:
            begin = place + len(folder.path) - folder.cut
            made = Replacement(digest.text[: folder.cut], digest.rule)
            yield begin, data[begin : begin + folder.cut], made


def _next(
    data: bytes, place: int, folder: _Folder, digests: Mapping[int, Replacement]
) -> Replacement | None:
    """Return what stands for the digest of the next path in a folder; None: it is in clear."""
    begin = len(folder.path) - folder.cut

    def is_one(at: int) -> bool:
        return at + begin in digests or _DIGEST.match(data, at + begin) is not None

    return digests.get(nearest(data, place, folder.path + _SLASH, is_one) + begin)


def nearest(data: bytes, place: int, folder: bytes, is_one: Callable[[int], bool]) -> int:
    """Return where the next path in a folder begins, or else the last one before.

    Args:
        data: the bytes of a recording.
        place: from where on it is the next.
        folder: the path of the folder, with the slash behind.
        is_one: says of a place whether such a path begins there.

    Returns:
        The place; the length of `data` where there is none.
    """
    at = data.find(folder, place)
    while at >= 0 and not is_one(at):
        at = data.find(folder, at + 1)
    if at < 0:
        at = data.rfind(folder, 0, place)
        while at >= 0 and not is_one(at):
            at = data.rfind(folder, 0, at)
    return at if at >= 0 else len(data)


def texts(
    data: bytes, regions: Sequence[Region], places: Iterable[int]
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield each place with where the text begins and ends in which it is."""
    ordered = sorted(places)
    for region in regions:
        inside = [place for place in ordered if region.begin <= place < region.end]
        if not inside:
            continue
        for place, bound in zip(
            inside, native.texts_at(data, region.begin, region.end, inside), strict=True
        ):
            if bound is not None:
                yield place, (bound[0], bound[1])
