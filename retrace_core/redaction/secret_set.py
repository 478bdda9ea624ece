"""Secret set: the secrets found in one recording, and what is written in their place."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from retrace_core.redaction.compressed import opaque_spans
from retrace_core.redaction.detectors import DETECTORS
from retrace_core.redaction.drawn import drawn_for, is_random_uuid
from retrace_core.redaction.drawn_characters import drawn_characters
from retrace_core.redaction.forms import digest_forms, escaped_alike, percent_decoded
from retrace_core.redaction.numerals import is_small
from retrace_core.redaction.one_time_codes import codes_in, parts_with_code
from retrace_core.redaction.pem_keys import key_in
from retrace_core.redaction.pickled_texts import encoded_pickles
from retrace_core.redaction.places import LEAST, unescaped
from retrace_core.redaction.replacements import Replacement
from retrace_core.redaction.replacing import span_at, within
from retrace_core.redaction.salted import with_parts
from retrace_core.redaction.tokens import encoded_json, parts_of, plain_digest
from retrace_core.stats import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from retrace_core.redaction.cells import Cell
    from retrace_core.redaction.compressed import Compressed
    from retrace_core.redaction.detectors import Detector
    from retrace_core.redaction.found_values import FoundValues
    from retrace_core.redaction.replacing import Region

__all__ = ["BOOT_DIGEST", "DIGEST", "WHOLE", "SecretSet"]

WHOLE = 16
"""A piece of a body that has so many bytes is known again wherever it stands."""
_LEAST_DIGEST = 16
_SHORT = 8
"""Of a digest less than this is replaced only where it stands as a value of its own."""
_LONG = 1024
_DOCUMENT = re.compile(rb"[a-z]{0,8}!?[\[{]+\s*\"")
"""What is said to be a signature, and is a document: that of a schema, say."""
_OFTEN_WHOSE = frozenset(("auth", "session"))
"""Names by which applications keep who has logged in, as often as what lets him in."""
_WORD = re.compile(rb"[A-Za-z]{1,15}")
"""A user's name, say: no key or password that is worth one has nothing but a few letters."""
DIGEST = "digest"
"""The rule by which the digest of what has a secret in it is masked."""
BOOT_DIGEST = "digest of the start-up"
"""And that of what was hashed at the process's start-up, also where it is said later."""


class SecretSet:
    """Collects what is found, and gives all its forms.

    Args:
        values: what values mean, in this process.
        allowed: values that are no secrets, by consent.
    """

    def __init__(self, values: FoundValues, allowed: frozenset[bytes]) -> None:
        self._values, self._forms = values, values.forms
        self.allowed = allowed
        self.replacements: dict[bytes, Replacement] = {}
        self.says: list[tuple[bytes, bytes, str]] = []
        """Payloads of tokens: as it stands there, decoded, rule."""
        self.says_packed: list[tuple[bytes, bytes, str]] = []
        """Those of tokens whose payload is compressed: the same."""
        self.compressed: list[Compressed] = []
        self.repacked: list[tuple[bytes, bytes]] = []
        """What was in those with secrets, and what is in them now; but for what is made again."""
        self.made: list[tuple[int, int]] = []
        """Where what the application made stands, in order: a replay makes it of pseudonyms."""
        self.opaque: list[tuple[int, int]] = []
        """Where they stand, and nothing else: no secret is found there, and none replaced."""
        self.lines: set[tuple[int, int]] = set()
        """Where values stand that end lines of settings: there they are masked, short or not."""
        self.placed: list[tuple[int, bytes, Replacement]] = []
        """What is masked where it stands, whatever it is."""
        self.hashes = False
        """True where there may be events of what code hashed."""
        self.added: list[tuple[bytes, str, bool]] = []
        """What was given to `add`."""
        self.special = 0
        """How often something else than that was found."""
        self._seen: set[bytes] = set()
        self._by_looks: set[bytes] = set()
        """Of those seen which no name told yet: a name is the better rule."""
        self._encoded: set[bytes] = set()
        self._digests: set[bytes] = set()
        self._codes: frozenset[bytes] = frozenset()
        """One-time codes that the request reckoned itself."""
        self.stored: list[bytes] = []
        """Digests of passwords that were found by their looks, with which others are compared."""

    @property
    def has_any(self) -> bool:
        """True where something may have to be replaced."""
        return bool(self.replacements or self.placed or self.says)

    def wanted(self) -> dict[bytes, Replacement]:
        """Return what is replaced: not what is no secret by consent."""
        made = with_parts(self.replacements, (value for value, _, _ in self.added))
        for value, rule, number in self.added if self._codes else ():
            self._keep_code(made, value, rule, number=number)
        if made.keys().isdisjoint(self.allowed):
            return made
        return {form: one for form, one in made.items() if form not in self.allowed}

    def _keep_code(
        self, made: dict[bytes, Replacement], value: bytes, rule: str, *, number: bool
    ) -> None:
        """Have a secret that is a one-time code stand as it is, and so one in a secret."""
        parts = parts_with_code(value, self._codes)
        if parts is None:
            return
        head, code, tail = parts
        text = value.decode("utf-8", "surrogateescape")
        if head or tail:
            masked = [self._mask_of(made, part, rule) for part in (head, tail)]
            made.update(self._forms.between(text, code.decode().join(masked), rule))
            return
        found = self._values.of(value, rule, self.allowed)
        numbers = self._forms.of_number(text, rule) if number else {}
        for form in (*found.replacements, *found.numbers, *numbers):
            made.pop(form, None)

    def _mask_of(self, made: dict[bytes, Replacement], text: bytes, rule: str) -> str:
        """Return what stands for what is before a code, or after it: from now on everywhere."""
        plain = text.decode("utf-8", "surrogateescape")
        if len(text) < LEAST:
            return self._forms.pseudonym(plain) if plain else ""
        for form, one in self._forms.of(plain, rule).items():
            made.setdefault(form, one)
        return made[text].of(text).text.decode("utf-8", "surrogateescape")

    def is_masked(self, text: bytes) -> bool:
        """Return True for what is replaced wherever it stands."""
        return text in self.replacements and text not in self.allowed

    def open(self, body: Compressed) -> None:
        """Add a compressed body."""
        self.compressed.append(body)
        self.opaque = opaque_spans(self.compressed)

    def clear(self, spans: Sequence[tuple[int, int]], text: bytes) -> bytes:
        """Return what is left of a text after the compressed body that it begins with, if any.

        Args:
            spans: where the text stands.
            text: it.
        """
        begin = spans[0][0]
        if not within(begin, self.opaque):
            return text
        return next((text[one.size :] for one in self.compressed if one.spans[0][0] == begin), text)

    def is_opaque(self, place: int, text: bytes, replacement: Replacement) -> bool:
        """Return True for a piece of a compressed body that looks like a secret by chance.

        The whole of one may be a secret itself, by its name.
        """
        if replacement.packed or not self.opaque:
            return False
        end = place + len(text)
        whole = [one.spans[0] for one in self.compressed if len(one.spans) == 1]
        return any(
            (first <= place < last or first < end <= last)
            and not ((first, last) in whole and place <= first and last <= end)
            for first, last in (span_at(place, self.opaque), span_at(end - 1, self.opaque))
        )

    def note_hash(self) -> None:
        """Take note of an event of what code hashed."""
        self.hashes = True
        self.special += 1

    def add(self, value: bytes, rule: str, *, number: bool = False) -> None:
        """Add a value as it was found; escapes and percent encoding may be in it."""
        self.added.append((value, rule, number))
        if value in self.allowed or len(value) < LEAST:
            return
        if rule in _OFTEN_WHOSE and _WORD.fullmatch(value):
            return
        if rule == "signature" and len(value) > _LONG and _DOCUMENT.match(value):
            return
        if number:
            text = value.decode("utf-8", "surrogateescape")
            self.replacements.update(self._forms.of_number(text, rule))
        named = value in self._by_looks and rule not in DETECTORS
        if value in self._seen and not named:
            return
        if rule in DETECTORS:
            self._by_looks.add(value)
        self._seen.add(value)
        found = self._values.of(value, rule, self.allowed)
        if named:
            self._by_looks.remove(value)
            self.replacements.update(found.replacements)
        elif self.replacements.keys().isdisjoint(found.replacements):  # as nearly always
            self.replacements.update(found.replacements)
        else:
            self.replacements = {**found.replacements, **self.replacements}
        self.replacements.update(found.numbers)
        if found.says is not None:
            self.says.append(found.says)
        if found.says_packed is not None:
            self.says_packed.append(found.says_packed)

    def look_at_events(self, data: bytes, regions: Sequence[Region]) -> None:
        """Add what was drawn for the secrets; take note of one-time codes that were reckoned.

        Args:
            data: the recording.
            regions: of it.
        """
        self._codes = codes_in(data, regions, (value for value, _, _ in self.added))
        rules: dict[bytes, str] = {}
        for value, rule, _ in self.added:
            if value not in self.replacements:
                continue
            rules[value] = rule
            if is_random_uuid(value):
                for was, now in drawn_for(data, value, self._forms.pseudonym(value.decode())):
                    self.replacements.setdefault(was, Replacement(now, rule))
        masked = {
            value: one.written
            for value in rules
            if isinstance((one := self.replacements[value]).written, bytes)
        }
        for region in regions if masked else ():
            if region.lane:
                for place, was, now, value in drawn_characters(data, region, masked):
                    self.placed.append((place, was, Replacement(now, rules[value])))

    def add_detected(self, detector: Detector, text: bytes, places: Sequence[int]) -> None:
        """Add what is known by its looks: secrets, and JSON and pickles in base64, for those in it.

        Args:
            detector: knows them.
            text: in which it is.
            places: of the detector's marks in it.
        """
        for first, last in detector.find(text, places):
            value = text[first:last]
            value = percent_decoded(value) if detector.name == "email" else unescaped(value)
            stored = plain_digest(value) if text[max(first - 1, 0) : first] == b"}" else b""
            if not stored:
                self.add(value, detector.name)
            elif self.add_digest(stored, detector.name):
                self.stored.append(stored)
        if detector.name == "jwt":
            encoded = (*encoded_json(text, places), *encoded_pickles(text, places))
            for payload, says in encoded:
                self.special += 1
                if payload not in self._encoded:
                    self._encoded.add(payload)
                    self.says.append((payload, says, "base64"))

    def add_digest(self, digest: bytes, rule: str = DIGEST, *, now: bytes = b"") -> bool:
        """Add the digest of what has a secret in it; returns True when it was not known.

        One that the start-up has is masked everywhere as it is there, where nobody knew of what it
        is the digest.

        Args:
            digest: it.
            rule: by which it is masked.
            now: what stands for it, where another recording says that.
        """
        if digest in self._digests or len(digest) < _LEAST_DIGEST:
            return False
        self._digests.add(digest)
        known = self.replacements.get(digest) if rule != BOOT_DIGEST else None
        if not now and known is not None:  # nothing but the secret was hashed
            now = known.of(digest).text
        now = now or bytes.fromhex(self._forms.pseudonyms.of(digest.hex()))
        made: dict[bytes, Replacement] = {}
        for form, other in digest_forms(digest, now):
            made.setdefault(form, Replacement(other, rule, timid=len(form) < _SHORT))
        if rule == BOOT_DIGEST:
            self.replacements.update(made)
        for form, replacement in made.items():
            self.replacements.setdefault(form, replacement)
        return True

    def digests(self, some: Iterable[bytes]) -> Iterator[tuple[bytes, str, bytes]]:
        """Yield those of these digests that are masked: each, its rule, what stands for it."""
        for digest in some:
            one = self.replacements.get(digest)
            if one is not None and digest in self._digests:
                yield digest, one.rule, one.of(digest).text

    def add_number(self, text: str, rule: str) -> None:
        """Add a number, unless it is a small one."""
        if not is_small(text):
            self.add(text.encode(), rule, number=True)

    def add_cell(self, data: bytes, cell: Cell) -> None:
        """Add a value of a column, which is masked there even when it is short or a word."""
        if cell.is_number and is_small(cell.text):
            return
        value = cell.text.encode("utf-8", "surrogateescape")
        rule = cell.column.lower()
        self.add(value, rule, number=cell.is_number)
        was = data[cell.begin : cell.end]
        if cell.pack is not None:
            if value not in self.allowed and len(value) >= LEAST and value in self._seen:
                made = cell.pack(self._forms.pseudonym(cell.text))
                self.placed.append((cell.begin, was, Replacement(made, rule)))
            return
        found = self.replacements.get(value)
        if found is not None and found.timid and was == value:  # no digest: they are not short
            self.placed.append((cell.begin, was, Replacement(found.text, rule)))

    def blank(self, data: bytes, spans: Sequence[tuple[int, int]]) -> None:
        """Write noughts in the place of a body that nobody here can look into."""
        count("redaction.blanked_body")
        for begin, end in spans:
            was = data[begin:end]
            now = Replacement(bytes(len(was)), "brotli", packed=True)
            if len(was) >= WHOLE:
                self.replacements[was] = now  # an event may have it, too
            else:
                self.placed.append((begin, was, now))

    def add_escaped(self, raw: bytes, rule: str) -> None:
        """Add a value as it stands in JSON, with escapes of whatever kind."""
        self.special += 1
        text = raw.decode("utf-8", "surrogateescape")
        try:
            plain = str(json.loads(f'"{text}"', strict=False))
        except ValueError:
            return
        value = plain.encode("utf-8", "surrogatepass")
        if len(plain) < LEAST or value in self.allowed or parts_of(value) is not None:
            return  # of a token its signature is masked, which has no escapes
        if key_in(value):
            return  # of a key what is within its label, in all forms
        alike = escaped_alike(text, plain, self._forms.pseudonym(plain))
        if alike is not None:
            timid = self._forms.is_timid(plain)
            written = alike.encode("utf-8", "surrogateescape")
            self.replacements.setdefault(raw, Replacement(written, rule, timid))
