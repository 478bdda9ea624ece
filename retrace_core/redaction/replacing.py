"""Replacing: every occurrence of a recording's secrets, but for those that mean something else.

What is short, or an ordinary word, is replaced only where it stands as a value of its own; what
is a name there (a key of JSON, a column) never, and no word among words, on a line that says
nothing of secrets: an account `shop` whose password is `shop` would be gone from all texts.
"""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING, NamedTuple

from retrace_core import native
from retrace_core.redaction.lane_events import own_numbers
from retrace_core.redaction.replacements import Replacement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from retrace_core.redaction.hashed import Hashed
    from retrace_core.redaction.names import Names

__all__ = [
    "Care",
    "Patch",
    "Redacted",
    "Region",
    "across",
    "chosen",
    "patched",
    "patches_of",
    "placed",
    "span_at",
    "within",
]

_LEFT = frozenset(b"\"'= :/,;\n\t([")
_RIGHT = frozenset(b"\"'&;,\r\n <)]}/\\?")
_STRICT_LEFT = frozenset(b"\"'=")
_COMMIT = re.compile(rb">[0-9a-f]{7}<")
"""The first digits of a digest on a page, as Git calls a commit."""
_COLON = 0x3A
_WORD_BEFORE = re.compile(rb"[A-Za-z]{2,} \Z")
_WORD_BEHIND = re.compile(rb" \(?[A-Za-z]{2,}")
_IMPORT = re.compile(rb"(?:\A|[\n;])[ \t]*(?:import|from) \Z")
_WORDS = re.compile(rb"[A-Za-z_-]+")
_AROUND = 200
"""So much of a line is looked at."""
_NAME_FOLLOWS = re.compile(rb"\\*[\"']?\s*[:=]")


class Region(NamedTuple):
    """A stream of MessagePack in the bytes of a recording."""

    begin: int
    end: int
    given: int = 0
    """Where what somebody gave begins; what is before it are words of the format."""
    code: bool = False
    """Lines of programs stand in it."""
    head: bool = False
    """It is the header, by which a recording is found: only what is surely a secret is masked."""
    lane: bool = False
    """It is the events of a lane."""
    made: bool = False
    """What is in it was made by the application: a replay makes it again."""


def _by_region(
    hits: list[tuple[int, int]], regions: Sequence[Region]
) -> Iterator[tuple[Region, list[tuple[int, int]]]]:
    """Yield each region that has hits, with them; both come in order of their places."""
    begin = 0
    for region in regions:
        while begin < len(hits) and hits[begin][0] < max(region.begin, region.given):
            begin += 1
        end = begin
        while end < len(hits) and hits[end][0] < region.end:
            end += 1
        if end > begin:
            yield region, hits[begin:end]
        begin = end


class Care(NamedTuple):
    """Where what is short, or an ordinary word, is replaced, and where it is not."""

    names: Names
    """Say which words are names."""
    folders: tuple[bytes, ...] = ()
    """A text that begins with one of these is the name of a file."""
    values: Collection[tuple[int, int]] = ()
    """Where values stand (begin, end), which are replaced whatever they look like."""


class Patch(NamedTuple):
    """One place that was masked."""

    place: int
    secret: bytes
    """What stood there."""
    mask: bytes
    """What stands there now."""
    rule: str


class Redacted(NamedTuple):
    """What came out."""

    data: bytes
    patches: list[Patch]
    inner: list[bytes]
    """Pseudonyms within compressed bodies."""


def patches_of(
    data: bytes,
    regions: Sequence[Region],
    texts: tuple[bytes, ...],
    replacements: Mapping[bytes, Replacement],
    care: Care,
) -> Iterator[tuple[int, bytes, Replacement]]:
    """Yield (place, text, replacement) for all that is replaced in the regions."""
    hits = native.find_all(data, texts, False, 0)
    for region, some in _by_region(hits, regions):
        if region.lane and any(replacements[texts[which]].number for _, which in some):
            own = list(own_numbers(data, region))
            some = [
                (place, which)
                for place, which in some
                if not replacements[texts[which]].number or not within(place, own)
            ]
        bounds = native.texts_at(data, region.begin, region.end, [place for place, _ in some])
        yield from _choose(data, some, bounds, texts, replacements, care, region)


def within(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Return True for a place in one of spans that are in order."""
    return place < span_at(place, spans)[1]


def span_at(place: int, spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the last of spans, which are in order, that begins there or before; else (0, 0)."""
    at = bisect.bisect(spans, (place, 1 << 62)) - 1
    return spans[at] if at >= 0 else (0, 0)


def placed(
    patches: list[tuple[int, bytes, Replacement]], given: list[tuple[int, bytes, Replacement]]
) -> list[tuple[int, bytes, Replacement]]:
    """Return patches, and those given in the place of what overlaps them."""
    kept = {place: (place, text, now) for place, text, now in given}
    spans = [(place, place + len(kept[place][1])) for place in sorted(kept)]
    others = [
        one
        for one in patches
        if not within(one[0], spans) and not within(one[0] + len(one[1]) - 1, spans)
    ]
    return [*others, *kept.values()]


def _choose(
    data: bytes,
    hits: list[tuple[int, int]],
    bounds: list[tuple[int, int, int] | None],
    texts: tuple[bytes, ...],
    replacements: Mapping[bytes, Replacement],
    care: Care,
    region: Region,
) -> Iterator[tuple[int, bytes, Replacement]]:
    """Yield what is replaced: of forms that overlap the first, and of those the longest."""
    done = 0
    order = sorted(
        zip(hits, bounds, strict=True), key=lambda one: (one[0][0], -len(texts[one[0][1]]))
    )
    for (place, which), bound in order:
        text = texts[which]
        replacement = replacements[text]
        if place < done:
            continue
        if replacement.number:
            if bound is not None or region.head:
                continue
        elif bound is None or place + len(text) > bound[1]:
            continue
        elif replacement.timid and (place, place + len(text)) not in care.values:
            if region.head or not _stands_alone(data, place, text, bound, care):
                continue
        done = place + len(text)
        yield place, text, replacement.of(text)


def _stands_alone(
    data: bytes, place: int, text: bytes, bound: tuple[int, int, int], care: Care
) -> bool:
    begin, end, role = bound
    finish = place + len(text)
    if _COMMIT.fullmatch(data, max(place - 1, begin), min(finish + 1, end)):
        return True
    if place == begin and not data[finish:end].strip(b"\0"):
        return role == 0  # also filled up with noughts, as what was hashed is
    if any(data.startswith(folder, begin, end) for folder in care.folders):
        return False
    left = _STRICT_LEFT if care.names.is_secret(text.decode("latin-1")) else _LEFT
    if place > begin and data[place - 1] not in left:
        # ann:secret, as files of passwords have it
        return data[place - 1] == _COLON and (finish == end or data[finish] in b"\r\n")
    if finish < end and data[finish] not in _RIGHT:
        return False
    if place == begin and left is _STRICT_LEFT:
        return False
    if text.isalpha() and _among_words(data, place, finish, bound, care.names):
        return False
    return _NAME_FOLLOWS.match(data, finish, end) is None


def _among_words(
    data: bytes, place: int, finish: int, bound: tuple[int, int, int], names: Names
) -> bool:
    """Return True in a sentence or an import, on a line that says nothing of secrets."""
    begin, end = max(bound[0], place - _AROUND), min(bound[1], finish + _AROUND)
    begin = max(begin, data.rfind(b"\n", begin, place))
    before = data[begin:place]
    if _IMPORT.search(before):
        return True
    if not _WORD_BEFORE.search(before) or not _WORD_BEHIND.match(data, finish, end):
        return False
    stop = data.find(b"\n", finish, end)
    line = before + data[finish : stop if stop >= 0 else end]
    return not any(names.is_secret(word[0].decode()) for word in _WORDS.finditer(line))


def chosen(
    text: bytes,
    begin: int,
    texts: tuple[bytes, ...],
    replacements: Mapping[bytes, Replacement],
    care: Care,
) -> Iterator[tuple[int, bytes, Replacement]]:
    """Yield what is replaced in a text that is no part of a stream."""
    hits = native.find_all(text, texts, False, 0) if texts else []
    bounds: list[tuple[int, int, int] | None] = [(begin, len(text), 0) for _ in hits]
    return _choose(text, hits, bounds, texts, replacements, care, Region(0, len(text)))


def across(
    spans: Sequence[tuple[int, int]],
    whole: bytes,
    texts: tuple[bytes, ...],
    replacements: Mapping[bytes, Replacement],
) -> Iterator[tuple[int, bytes, Replacement]]:
    """Yield the pieces of what is replaced across the borders of chunks."""
    starts: list[int] = []
    length = 0
    for begin, end in spans:
        starts.append(length)
        length += end - begin
    for place, which in native.find_all(whole, texts, False, 0):
        text = texts[which]
        if replacements[text].number:
            continue
        one = replacements[text].of(text)
        for start, (begin, end) in zip(starts, spans, strict=True):
            first, last = max(place, start), min(place + len(text), start + end - begin)
            if first >= last or last - first == len(text):
                continue
            piece = text[first - place : last - place]
            now = one.text[first - place : last - place]
            yield begin + first - start, piece, Replacement(now, one.rule)


def patched(
    data: bytes,
    chosen: list[tuple[int, bytes, Replacement]],
    inner: list[bytes],
    *,
    hashed: Sequence[Hashed] = (),
    kept: Sequence[Hashed] = (),
    repacked: Sequence[tuple[bytes, bytes]] = (),
) -> Redacted:
    """Return the bytes with what was chosen replaced.

    Args:
        data: in which it is.
        chosen: what is replaced.
        inner: pseudonyms within compressed bodies.
        hashed: events of hashes, in order, of which what was hashed is taken out.
        kept: those that have a secret in it, and keep a fingerprint of it.
        repacked: what was in compressed bodies, and what is in them now.
    """
    changed = bytearray(data)
    gone = [(one.begin, one.end) for one in hashed]
    keep = frozenset(kept)
    patches: list[Patch] = []
    for place, text, replacement in chosen:
        changed[place : place + len(text)] = replacement.text
        secret = data[place : place + len(text)]
        mask = b"" if replacement.packed else replacement.text
        if not within(place, gone):
            patches.append(Patch(place, secret, mask, replacement.rule))
    for one in hashed:
        if one in keep:
            one.keep(changed, one.told(data, changed, repacked))
        else:
            one.blank(changed)
    return Redacted(bytes(changed), patches, inner)
