"""Lately found: secrets that recordings of this process had, known in those that come.

A session's id is told by its name in one request, and stands unnamed in a message of the next; a
digest that one request made is what another finds in a file. Masked in the one and not in the
other, the same thing would have two names, and what the first left in memory would not be found.
"""

from __future__ import annotations

import base64
import re
from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from retrace_core import native
from retrace_core.redaction.boot_keys import is_key
from retrace_core.redaction.detectors import DETECTORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from retrace_core.redaction.secret_set import SecretSet

__all__ = ["LatelyFound"]

_MOST_KEYS, _MOST_DIGESTS = 128, 64
"""So many are looked for: of 10 KB that takes some microseconds, and ten times that of three times
as many."""
_FRESH = 16
"""So many new ones are looked for by themselves: to prepare for all is dear."""
_AT_ONCE = 8
"""Of one recording no more digests are kept: what is stretched by hashing has thousands."""
_ASIDE = re.compile(rb"[+/]")
"""Where base64 for addresses is another."""


class _Found(NamedTuple):
    """One secret."""

    value: bytes
    rule: str
    now: bytes = b""
    """What stands for a digest; a key's is made anew."""


class _Wanted:
    """Some of them, made ready to be looked for."""

    def __init__(self, some: Iterable[_Found]) -> None:
        heads = sorted((head, one) for one in some for head in _heads(one))  # alike, and quicker
        self._owners = [one for _, one in heads]
        self._finder = native.Finder(tuple(head for head, _ in heads), False, 0) if heads else None

    def in_text(self, text: bytes) -> Iterator[_Found]:
        if self._finder is not None:
            for _, which in self._finder.find(text):
                yield self._owners[which]


class LatelyFound:
    """Those of one process; the ones that were not met for longest are forgotten."""

    def __init__(self) -> None:
        self._keys: OrderedDict[bytes, _Found] = OrderedDict()
        self._digests: OrderedDict[bytes, _Found] = OrderedDict()
        self._fresh: list[_Found] = []
        self._wanted = (_Wanted(()), _Wanted(()))
        """All but the fresh, and those."""

    def look(self, found: SecretSet, *texts: bytes) -> None:
        """Add to what was found in a recording what others had of it.

        Args:
            found: in the recording.
            texts: it, and what is packed in it.
        """
        if not self._keys and not self._digests:
            return
        for one in {one for part in self._wanted for text in texts for one in part.in_text(text)}:
            if one.now:
                found.add_digest(one.value, one.rule, now=one.now)
            else:
                found.add(one.value, one.rule)

    def keep(self, found: SecretSet, digests: Iterable[bytes]) -> None:
        """Keep what a recording had.

        Args:
            found: in it.
            digests: of what had a secret in it.
        """
        fresh = len(self._fresh)
        for value, rule, _ in found.added:
            if value in self._keys:
                self._keys.move_to_end(value)
            elif rule not in DETECTORS and value in found.replacements and is_key(value):
                self._add(self._keys, _Found(value, rule))
        for digest, rule, now in islice(found.digests(digests), _AT_ONCE):
            self._add(self._digests, _Found(digest, rule, now))
        if len(self._fresh) > _FRESH:
            _shorten(self._keys, _MOST_KEYS)
            _shorten(self._digests, _MOST_DIGESTS)
            self._fresh = []
            self._wanted = (_Wanted([*self._keys.values(), *self._digests.values()]), _Wanted(()))
        elif len(self._fresh) > fresh:
            self._wanted = (self._wanted[0], _Wanted(self._fresh))

    def _add(self, known: OrderedDict[bytes, _Found], one: _Found) -> None:
        if one.value in known:
            known.move_to_end(one.value)
        else:
            known[one.value] = one
            self._fresh.append(one)


def _shorten(known: OrderedDict[bytes, _Found], most: int) -> None:
    while len(known) > most:
        known.popitem(last=False)


def _heads(one: _Found) -> Iterator[bytes]:
    """Yield how its forms begin, of a digest; a key stands as it is."""
    if not one.now:
        yield one.value
        return
    name, raw = one.value.hex().encode(), one.value[:6]
    yield raw
    yield name[:7]
    if name[:7] != name[:7].upper():
        yield name[:7].upper()
    yield name[:2] + b"/" + name[2:8]
    yield name[:2] + b"/" + name[2:4] + b"/" + name[4:8]
    packed = base64.b64encode(one.value)[:8]
    yield packed
    if _ASIDE.search(packed):
        yield base64.urlsafe_b64encode(one.value)[:8]
