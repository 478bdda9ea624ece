"""Redactor: finds the secrets in one recording, and writes pseudonyms in their place.

It works on the encoded parts of a recording, on the writer's thread: a pseudonym is as long as
its secret, so that nothing has to be encoded again. One pass over all bytes finds where secrets
may stand; only those texts are looked at; another pass finds every form of what was found.
"""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from retrace_core import native
from retrace_core.codec import decode
from retrace_core.redaction.bodies import spread_bodies
from retrace_core.redaction.cells import parameter_cell
from retrace_core.redaction.compressed import HEADER_MARKS, MARKS, has_no_body
from retrace_core.redaction.detectors import DETECTORS, LEAST_DIGITS, Detector
from retrace_core.redaction.found_values import FoundValues
from retrace_core.redaction.growing_folders import with_folders
from retrace_core.redaction.hashed import HASHED, chained, hashed_in
from retrace_core.redaction.json_rules import JsonRules
from retrace_core.redaction.known_secrets import KnownSecrets
from retrace_core.redaction.looks import Look, Looks
from retrace_core.redaction.messagepack import token_at
from retrace_core.redaction.payloads import mask_payloads
from retrace_core.redaction.places import Named, named_values, unescaped, values_in
from retrace_core.redaction.repacking import repack
from retrace_core.redaction.replacing import (
    Care,
    Redacted,
    Region,
    across,
    patched,
    patches_of,
    placed,
    within,
)
from retrace_core.redaction.rows import LaneRows, may_have_rows
from retrace_core.redaction.secret_set import BOOT_DIGEST, DIGEST, SecretSet
from retrace_core.redaction.statements import is_statement, secret_parameters
from retrace_core.redaction.unpacking import open_begun, open_bodies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from retrace_core.redaction.json_path import JsonPath
    from retrace_core.redaction.names import Names
    from retrace_core.redaction.replacements import Forms, Replacement

    _Text = tuple[int, int, int, int, list[tuple[int, int]]]
    """Number of the region, begin, end, role, and the marks in it."""

__all__ = ["Redactor"]

_KEY = 1
_NAME = re.compile(rb"[A-Za-z0-9_.\-]{2,64}")
_IDENTIFIER = re.compile(rb"[a-z][a-z0-9_]{0,30}")
_LEAST_VALUE = 3
_region = itemgetter(0)


class Redactor:
    """Finds and masks secrets.

    Args:
        names: which names name secrets.
        forms: makes pseudonyms.
        detectors: names of those that are in force.
        patterns: rule -> pattern of the user's; its first group, or the whole match.
        paths: rules of the user's for what stands in JSON.
        known: gives values that are secrets wherever they stand -> rule.
        allowed: values that are none, by consent.
        folders: names of files begin with these.
        known_secrets: those of the process, which start-up and other recordings had.
    """

    def __init__(
        self,
        names: Names,
        forms: Forms,
        *,
        detectors: Sequence[str] = tuple(DETECTORS),
        patterns: Mapping[str, re.Pattern[bytes]] | None = None,
        paths: Sequence[JsonPath] = (),
        known: Callable[[], Mapping[bytes, str]] = dict,
        allowed: frozenset[bytes] = frozenset(),
        folders: frozenset[bytes] = frozenset(),
        known_secrets: KnownSecrets | None = None,
    ) -> None:
        self._names = names
        self._care = Care(names, tuple(folders))
        self._values = FoundValues(forms)
        self._patterns = dict(patterns or {})
        self._of_process = known_secrets or KnownSecrets()
        self._known, self._allowed = known, allowed | folders
        chosen = [DETECTORS[name] for name in detectors]
        self._owners = [one for one in chosen for _ in one.marks]
        self._named = len(names.marks)
        self._detected = self._named + len(self._owners)
        self._marks = (*names.marks, *(mark for one in chosen for mark in one.marks))
        self._json = JsonRules(paths)
        self._digests = self._detected + len(self._json.marks)
        """From this number on marks are of what was hashed, and before them those of JSON."""
        self._packed = self._digests + 1
        """From this number on marks are of what is compressed."""
        self._marks += (*self._json.marks, HASHED, *MARKS, *HEADER_MARKS)
        self._card = DETECTORS["card"] if "card" in detectors else None
        self._wanted = self._marks, True, LEAST_DIGITS if self._card else 0
        self._finder = native.Finder(*self._wanted)
        self._looks = Looks()

    def redact(
        self,
        data: bytes,
        regions: Sequence[Region],
        streams: Sequence[Sequence[tuple[int, int]]],
        masks: frozenset[bytes] = frozenset(),
        values: Callable[[], frozenset[tuple[int, int]]] = frozenset,
        *,
        boot: bool = False,
    ) -> Redacted:
        """Return the bytes of a recording with pseudonyms in the place of secrets.

        Args:
            data: its encoded parts, one after another.
            regions: where they are MessagePack, in order.
            streams: where the chunks of each body that came in several stand.
            masks: what stands in it for secrets already.
            values: says, if asked, where values stand that are masked, short or not, where they
                are secrets.
            boot: True for a file of a boot tape.

        Raises:
            ValueError: a region is no MessagePack.
        """
        chunks = frozenset(span for spans in streams for span in spans)
        streams = [*streams, *spread_bodies(data, regions)] if self._json.marks else streams
        joined = [b"".join(data[begin:end] for begin, end in spans) for spans in streams]
        found = self._find(data, regions, streams, joined, self._allowed | masks, chunks)
        opened = [one.plain for one in found.compressed]
        self._of_process.look(found, data, *joined, *opened, boot=boot)
        if not found.has_any and not found.hashes:
            return Redacted(data, [], [])
        hashed = list(hashed_in(data, regions)) if found.hashes else []
        while True:
            picked, inner = self._choose(data, regions, streams, joined, found, values)
            places = sorted(place for place, _, _ in picked)
            own = [one for one in hashed if one.holds(places) or one.differs(data, found.is_masked)]
            kept = chained(data, hashed, own)
            digests = [one.digest_in(data) for one in kept]
            if not any([found.add_digest(one, BOOT_DIGEST if boot else DIGEST) for one in digests]):
                self._of_process.keep(found, digests, boot=boot)
                picked, again = with_folders(data, regions, picked), found.repacked
                return patched(data, picked, inner, hashed=hashed, kept=kept, repacked=again)

    def _choose(
        self,
        data: bytes,
        regions: Sequence[Region],
        streams: Sequence[Sequence[tuple[int, int]]],
        joined: Sequence[bytes],
        found: SecretSet,
        values: Callable[[], frozenset[tuple[int, int]]],
    ) -> tuple[list[tuple[int, bytes, Replacement]], list[bytes]]:
        """Return what is replaced, and the pseudonyms within compressed bodies."""
        inner = mask_payloads(found, self._find_in_whole, self._care)
        replacements = found.wanted()
        if not replacements and not found.placed:
            return [], []
        before = len(found.placed)
        inner += repack(data, found, replacements, self._care)
        texts = tuple(replacements)
        care = self._care._replace(values=found.lines | values())
        patches = list(patches_of(data, regions, texts, replacements, care))
        if found.placed:
            patches = placed(patches, found.placed)
        del found.placed[before:]  # of compressed bodies, which may be packed once more
        for spans, whole in zip(streams, joined, strict=True):
            patches += across(spans, whole, texts, replacements)
        return [one for one in patches if not found.is_opaque(*one)], inner

    def _find(
        self,
        data: bytes,
        regions: Sequence[Region],
        streams: Sequence[Sequence[tuple[int, int]]],
        joined: Sequence[bytes],
        allowed: frozenset[bytes],
        chunks: frozenset[tuple[int, int]],
    ) -> SecretSet:
        found = SecretSet(self._values, allowed)
        found.made = [(one.begin, one.end) for one in regions if one.made]
        for plain in open_begun(data, streams, joined, found):
            self._find_in_whole(plain, found)
        texts = self._finder.in_texts(data, regions)
        for number, some in groupby(texts, _region):
            self._find_in_region(data, regions[number], some, found, chunks)
        clear = [found.clear(spans, whole) for spans, whole in zip(streams, joined, strict=True)]
        for whole in clear:
            self._find_in_whole(whole, found)
        if self._patterns:
            self._find_patterns(data, regions, clear, found)
        for value, rule in self._known().items():
            found.add(value, rule)
        found.look_at_events(data, regions)
        return found

    def _find_patterns(
        self,
        data: bytes,
        regions: Sequence[Region],
        joined: Sequence[bytes],
        found: SecretSet,
    ) -> None:
        texts = [*joined, *(one.plain for one in found.compressed)]
        for region in regions:
            spans = native.texts_at(data, region.begin, region.end, None)
            texts += [found.clear([span[:2]], data[span[0] : span[1]]) for span in spans]
        for rule, pattern in self._patterns.items():
            for text in texts:
                for match in pattern.finditer(text):
                    found.add(match[match.lastindex or 0], rule)

    def _find_in_region(
        self,
        data: bytes,
        region: Region,
        texts: Iterable[_Text],
        found: SecretSet,
        chunks: frozenset[tuple[int, int]],
    ) -> None:
        pairs: list[tuple[int, int, int]] = []
        asks = False
        for begin, end, role, hits, whole in self._opened(data, region, list(texts), found):
            if (begin, end) in chunks:
                continue  # it is looked into as a whole: a part may begin within a number
            asks |= self._look(data, region, (begin, end, role), hits, found, pairs, whole=whole)
        if region.lane and (asks or pairs) and may_have_rows(data, region):
            rows = LaneRows(data, region, self._names)
            for cell in rows.cells():
                found.add_cell(data, cell)
            pairs = [pair for pair in pairs if not within(pair[0], rows.descriptions)]
        for begin, end, role in pairs:
            self._add_after(data, begin, end, role, found)

    def _opened(
        self, data: bytes, region: Region, texts: list[_Text], found: SecretSet
    ) -> Iterator[tuple[int, int, int, list[tuple[int, int]], bool]]:
        """Open compressed bodies; yield each text with the marks that are in none of them.

        The last says whether those are all that are no marks of such bodies.
        """
        packed, before = self._packed, len(found.compressed)
        marked = [
            (place, begin, end, bool(role) and _NAME.fullmatch(data, begin, end) is not None)
            for _, begin, end, role, hits in texts
            for place, which in hits
            if which >= packed and not has_no_body(data, begin, place, end)
        ]
        if marked:
            open_bodies(data, region, marked, found)
            for body in found.compressed[before:]:
                self._find_in_whole(body.plain, found)
        for _, begin, end, role, hits in texts:
            plain = [hit for hit in hits if hit[1] < packed]
            left = plain
            if found.opaque:
                left = [hit for hit in plain if not within(hit[0], found.opaque)]
            if left:
                yield begin, end, role, left, len(left) == len(plain)

    def _look(
        self,
        data: bytes,
        region: Region,
        text: tuple[int, int, int],
        hits: list[tuple[int, int]],
        found: SecretSet,
        pairs: list[tuple[int, int, int]],
        *,
        whole: bool,
    ) -> bool:
        """Look into a text; True, or one more of `pairs`, where a name may be a column's."""
        begin, end, role = text
        if role and _NAME.fullmatch(data, begin, end):
            if any(which == self._digests for _, which in hits):
                found.note_hash()
            if self._names.is_secret(data[begin:end].decode()):
                if region.lane:
                    pairs.append(text)
                else:
                    self._add_after(data, begin, end, role, found)
            return False
        look = self._looks.of(data[begin:end], code=region.code) if whole else None
        if look is None:
            look = self._look_at(data, begin, end, region, hits, found, whole=whole)
        else:
            for value, rule, number in look.added:
                found.add(value, rule, number=number)
        if look.states and end < region.end:
            for first, last in secret_parameters(data, begin, end, self._names):
                found.add_cell(data, parameter_cell(data, first, last))
        return look.asks

    def _look_at(
        self,
        data: bytes,
        begin: int,
        end: int,
        region: Region,
        hits: list[tuple[int, int]],
        found: SecretSet,
        *,
        whole: bool,
    ) -> Look:
        special, before = found.special, len(found.added)
        asks = self._find_in_text(
            data, begin, end, hits, found, code=region.code, lines=found.lines
        )
        text = data[begin:end]
        look = Look(asks, asks and is_statement(text), tuple(found.added[before:]))
        if whole and found.special == special:
            self._looks.keep(text, look, code=region.code)
        return look

    def _find_in_whole(self, text: bytes, found: SecretSet) -> None:
        """Add the secrets in a text that is none of the recording's, but was made of such."""
        hits = [hit for hit in self._finder.find(text) if hit[1] < self._packed]  # opened is once
        self._find_in_text(text, 0, len(text), hits, found, code=False)

    def _add_after(self, data: bytes, begin: int, end: int, role: int, found: SecretSet) -> None:
        name = data[begin:end].decode()
        token = token_at(data, end)
        if token.kind == "int":
            found.add_number(str(decode(data[token.begin : token.end])), name.lower())
        elif token.kind == "text":
            value = data[token.begin : token.end]
            if role != _KEY and "-" not in name and _IDENTIFIER.fullmatch(value):
                return  # two columns of a table, not a name with its value
            for one in values_in(name, value, self._names):
                found.add(one, name.lower())

    def _find_in_text(
        self,
        data: bytes,
        begin: int,
        end: int,
        hits: list[tuple[int, int]],
        found: SecretSet,
        *,
        code: bool,
        lines: set[tuple[int, int]] | None = None,
    ) -> bool:
        """Add the secrets in a text; True: a secret's name has no value there.

        Where values stand that end lines of settings is added to `lines`.
        """
        near: dict[Detector, list[int]] = {}
        places: list[int] = []
        has_json, owners = False, self._owners
        for place, which in hits:
            if which < self._named:
                if which >= 0:
                    places.append(place)
                elif self._card is not None:
                    near.setdefault(self._card, []).append(max(place - begin, 0))
            elif which < self._detected:
                near.setdefault(owners[which - self._named], []).append(max(place - begin, 0))
            elif which < self._digests:
                has_json = True
            else:
                found.note_hash()
        if has_json:
            self._json.find(data[begin:end], found)
        # By itself: what stands before it in the data is no part of a word.
        text = data[begin:end] if near else b""
        for detector, marked in near.items():
            found.add_detected(detector, text, marked)
        asks = False
        for named in named_values(data, begin, end, places, self._names, code=code):
            asks = asks or named is None or len(named.value) < _LEAST_VALUE
            if named is not None:
                self._add_named(named, found, lines)
                asks = asks or named.value[:1] in b"?$%:"
        return asks

    def _add_named(
        self, named: Named, found: SecretSet, lines: set[tuple[int, int]] | None
    ) -> None:
        for value in values_in(named.name, named.value, self._names):
            if b"\\" in value:
                found.add_escaped(value, named.name.lower())
            found.add(unescaped(value), named.name.lower(), number=named.number)
            if lines is not None and named.line_at >= 0:
                begin = named.line_at + named.value.index(value)
                lines.add((begin, begin + len(value)))
                found.special += 1
