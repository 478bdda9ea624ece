"""Replacements: what is written in the place of a secret, for each form of it."""

from __future__ import annotations

import re
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from retrace_core.redaction.forms import digested_alike, hashed_forms, written_forms
from retrace_core.redaction.numerals import binary_alike, packed_alike
from retrace_core.redaction.places import LEAST
from retrace_core.redaction.pseudonyms import luhn_valid

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.redaction.names import Names
    from retrace_core.redaction.pseudonyms import Pseudonyms

__all__ = ["Forms", "Replacement"]

_CARD = re.compile(r"(?:[0-9][ -]?){12,18}[0-9]")
_EMAIL = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9.-]+\.[A-Za-z]{2,24}")
_COMMON = re.compile(r"[a-z]{1,16}|[A-Z]?[a-z]{1,12}|[A-Z]{1,12}|[a-z]+(?:[._-][a-z]+)+")
_KEY = re.compile(r"[sprSPR]k-")
"""How keys of APIs begin, also those of models on one's own machine: sk-local."""
_SHORT, _LONG = 6, 16
_REMEMBERED = 2048


class Replacement(NamedTuple):
    """What is written in the place of one form of a secret."""

    written: bytes | Callable[[bytes], bytes]
    """It, or what makes it of the form."""
    rule: str
    timid: bool = False
    """Short or an ordinary word: replaced only where it stands as a value of its own."""
    number: bool = False
    """An integer of MessagePack, and no text."""
    packed: bool = False
    """A piece of a compressed body."""

    @property
    def text(self) -> bytes:
        """What is written, as long as the form is."""
        assert isinstance(self.written, bytes)
        return self.written

    def of(self, form: bytes) -> Replacement:
        """Return it with what is written in the place of a form: of digests all share one."""
        return (
            self if isinstance(self.written, bytes) else self._replace(written=self.written(form))
        )


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
        for was, now in written_forms(text, pseudonym):
            if len(was) == len(now) and len(was) >= LEAST and was not in made:
                made[was] = Replacement(now, rule, timid and len(was) < _LONG)
        if _EMAIL.fullmatch(text) and text.index("@") >= LEAST:
            # As code shortens one that not everybody shall see: `ada@...`.
            head, masked = text.partition("@")[0], pseudonym.partition("@")[0]
            made[f"{head}@".encode()] = Replacement(f"{masked}@".encode(), rule)
        digested = Replacement(partial(digested_alike, text, pseudonym), rule)
        for form in hashed_forms(text):
            made.setdefault(form, digested)
        return made
