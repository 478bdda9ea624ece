"""Secret set: the secrets found in one recording, and what is written in their place."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrace_core.redaction.forms import (
    digest_forms,
    escaped_alike,
    forms_of,
    percent_decoded,
    written_alike,
)
from retrace_core.redaction.numerals import binary_alike, is_small, packed_alike
from retrace_core.redaction.places import LEAST
from retrace_core.redaction.pseudonyms import luhn_valid
from retrace_core.redaction.tokens import digest_of, parts_of
from retrace_core.stats import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrace_core.redaction.cells import Cell
    from retrace_core.redaction.compressed import Compressed
    from retrace_core.redaction.names import Names
    from retrace_core.redaction.pseudonyms import Pseudonyms

__all__ = ["BOOT_DIGEST", "DIGEST", "WHOLE", "Forms", "Replacement", "SecretSet"]

_CARD = re.compile(r"(?:[0-9][ -]?){12,18}[0-9]")
_EMAIL = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9.-]+\.[A-Za-z]{2,24}")
_COMMON = re.compile(r"[a-z]{1,16}|[A-Z]?[a-z]{1,12}|[A-Z]{1,12}|[a-z]+(?:[._-][a-z]+)+")
_KEY = re.compile(r"[sprSPR]k-")
"""How keys of APIs begin, also those of models on one's own machine: sk-local."""
_LITERAL = re.compile(r"\A[A-Za-z0-9+/]{16,}={0,2}\Z|\s")
"""Base64, or what has white space in it: no form or query is written so."""
_SHORT, _LONG = 6, 16
WHOLE = 16
"""A piece of a body that has so many bytes is known again wherever it stands."""
_DAY, _UUID = 10, 36
"""How long they are."""
_REMEMBERED = 2048
_LEAST_DIGEST = 16
DIGEST = "digest"
"""The rule by which the digest of what has a secret in it is masked."""
BOOT_DIGEST = "digest of the start-up"
"""And that of what was hashed at the process's start-up, also where it is said later."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """What is written in the place of one form of a secret."""

    text: bytes
    rule: str
    timid: bool = False
    """Short or an ordinary word: replaced only where it stands as a value of its own."""
    number: bool = False
    """An integer of MessagePack, and no text."""
    packed: bool = False
    """A piece of a compressed body."""


class Forms:
    """All forms of secrets with their replacements; those seen lately are remembered.

    Args:
        pseudonyms: makes them.
        names: what is a name itself is replaced with care.
    """

    def __init__(self, pseudonyms: Pseudonyms, names: Names) -> None:
        self.pseudonyms = pseudonyms
        self._names = names
        self._numbers: dict[tuple[str, str], dict[bytes, Replacement]] = {}
        self._known: OrderedDict[tuple[str, str], dict[bytes, Replacement]] = OrderedDict()

    def of(self, text: str, rule: str) -> dict[bytes, Replacement]:
        """Return form -> replacement."""
        found = self._known.get((text, rule))
        if found is None:
            found = self._known[text, rule] = self._make(text, rule)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def of_number(self, text: str, rule: str) -> dict[bytes, Replacement]:
        """Return form -> replacement of a number, a day or a UUID where it is no text."""
        found = self._numbers.get((text, rule))
        if found is None:
            pseudonym = self.pseudonym(text)
            found = {
                was: Replacement(now, rule, timid=True)
                for was, now in binary_alike(text, pseudonym)
            }
            packed = packed_alike(text, pseudonym)
            if packed is not None:
                found[packed[0]] = Replacement(packed[1], rule, number=True)
            if len(self._numbers) >= _REMEMBERED:
                self._numbers.clear()
            self._numbers[text, rule] = found
        return found

    def pseudonym(self, text: str) -> str:
        """Return what stands for a text, by what it looks like."""
        if _CARD.fullmatch(text) and luhn_valid(re.sub("[ -]", "", text)):
            return self.pseudonyms.of_card(text)
        if _EMAIL.fullmatch(text):
            return self.pseudonyms.of_email(text)
        return self.pseudonyms.of(text)

    def is_timid(self, text: str) -> bool:
        """Return True for what is replaced only where it stands as a value of its own."""
        if len(text) < _SHORT or self._names.is_secret(text):
            return True
        return _COMMON.fullmatch(text) is not None and _KEY.match(text) is None

    def _make(self, text: str, rule: str) -> dict[bytes, Replacement]:
        return self.between(text, self.pseudonym(text), rule)

    def between(self, text: str, pseudonym: str, rule: str) -> dict[bytes, Replacement]:
        """Return form -> replacement for a text and what stands for it."""
        timid = self.is_timid(text)
        made: dict[bytes, Replacement] = {}
        for was, now in forms_of(text, pseudonym):
            if len(was) == len(now) and len(was) >= LEAST:
                made.setdefault(was, Replacement(now, rule, timid and len(was) < _LONG))
        return made


class SecretSet:
    """Collects what is found, and gives all its forms.

    Args:
        forms: of the process.
        allowed: values that are no secrets, by consent.
    """

    def __init__(self, forms: Forms, allowed: frozenset[bytes]) -> None:
        self._forms = forms
        self.allowed = allowed
        self.replacements: dict[bytes, Replacement] = {}
        self.says: list[tuple[bytes, bytes, str]] = []
        """Payloads of tokens: as it stands there, decoded, rule."""
        self.says_packed: list[tuple[bytes, bytes, str]] = []
        """Those of tokens whose payload is compressed: the same."""
        self.compressed: list[Compressed] = []
        self.inner: list[bytes] = []
        """What stands for secrets in compressed tokens."""
        self.lines: set[tuple[int, int]] = set()
        """Where values stand that end lines of settings: there they are masked, short or not."""
        self.placed: list[tuple[int, bytes, Replacement]] = []
        """What is masked where it stands, whatever it is."""
        self.unopened = False
        """True while something compressed could not be looked into where it stands."""
        self._seen: set[bytes] = set()
        self._digests: set[bytes] = set()

    def add(self, value: bytes, rule: str, *, number: bool = False) -> None:
        """Add a value as it was found; escapes and percent encoding may be in it."""
        if value in self.allowed or len(value) < LEAST:
            return
        if number:
            self._add_number(value.decode("utf-8", "surrogateescape"), rule)
        if value in self._seen:
            return
        self._seen.add(value)
        if b"$" in value and (digest := digest_of(value)):
            self._add_text(digest.decode(), rule)
            return
        parts = parts_of(value) or parts_of(percent_decoded(value))
        if parts is not None:
            self._add_text(parts.signature.decode(), rule)
            if parts.says is not None:
                self.says.append((parts.payload, parts.says, rule))
            elif parts.compressed is not None:
                self.says_packed.append((parts.payload, parts.compressed, rule))
            return
        if self._add_basic(value, rule):
            return
        plain = percent_decoded(value)
        text = value.decode("utf-8", "surrogateescape")
        if b"%" not in value and b"+" in value and _LITERAL.search(text):
            self._add_text(text, rule)  # a plus is one
            pseudonym = self._forms.pseudonym(text).replace("+", " ")  # or a blank after all
            for form, one in self._forms.between(text.replace("+", " "), pseudonym, rule).items():
                self.replacements.setdefault(form, one)
            return
        if plain != value and plain not in self.allowed:
            decoded = plain.decode("utf-8", "surrogateescape")
            alike = written_alike(value, decoded, self._forms.pseudonym(decoded))
            self._add_text(decoded, rule)
            if alike is not None:
                timid = next(iter(self._forms.of(decoded, rule).values())).timid
                self.replacements.setdefault(value, Replacement(alike, rule, timid))
                return
        self._add_text(text, rule)
        size = len(value)
        is_packed = (size == _DAY and value[4:5] == b"-") or (size == _UUID and value[8:9] == b"-")
        if is_packed or (size > 8 and value.isdigit()):
            self._add_number(text, rule)

    def add_digest(self, digest: bytes, rule: str = DIGEST) -> bool:
        """Add the digest of what has a secret in it; returns True when it was not known."""
        if digest in self._digests or len(digest) < _LEAST_DIGEST:
            return False
        self._digests.add(digest)
        was = digest.hex()
        now = self._forms.pseudonyms.of(was)
        for form, other in digest_forms(digest, bytes.fromhex(now)):
            self.replacements.setdefault(form, Replacement(other, rule))
        return True

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
        if found is not None and found.timid and was == value:
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
        text = raw.decode("utf-8", "surrogateescape")
        try:
            plain = str(json.loads(f'"{text}"', strict=False))
        except ValueError:
            return
        if len(plain) < LEAST or plain.encode("utf-8", "surrogatepass") in self.allowed:
            return
        alike = escaped_alike(text, plain, self._forms.pseudonym(plain))
        if alike is not None:
            timid = self._forms.is_timid(plain)
            written = alike.encode("utf-8", "surrogateescape")
            self.replacements.setdefault(raw, Replacement(written, rule, timid))

    def _add_text(self, text: str, rule: str) -> None:
        for form, replacement in self._forms.of(text, rule).items():
            self.replacements.setdefault(form, replacement)

    def _add_basic(self, value: bytes, rule: str) -> bool:
        """Add the password of a Basic authorization, and the whole of it."""
        if len(value) < 8 or not re.fullmatch(rb"[A-Za-z0-9+/]+={0,2}", value):
            return False
        try:
            user, colon, password = base64.b64decode(value).partition(b":")
            plain = (user + password).decode()
        except (binascii.Error, ValueError):
            return False
        if not colon or not plain.isprintable() or len(password) < LEAST:
            return False
        secret = password.decode()
        self._add_text(secret, rule)
        masked = user + colon + self._forms.pseudonym(secret).encode()
        self.replacements.setdefault(value, Replacement(base64.b64encode(masked), rule))
        return True

    def _add_number(self, text: str, rule: str) -> None:
        self.replacements.update(self._forms.of_number(text, rule))
