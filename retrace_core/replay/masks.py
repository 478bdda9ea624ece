"""Masks: compares what the code says on replay with what it said, where secrets were masked.

Mostly the code says the pseudonym itself, since it got nothing else. But what stands in the code
(an address at the foot of a page), or is reckoned from a secret that is masked (a signature),
comes out as another text of the same shape. It must be the same one each time.

What it said for a pseudonym, it may have kept in memory too (a session, by its id). Where a later
request of its process is replayed after it, that one is told the same, and not the pseudonym.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from retrace_core import native
from retrace_core.redaction.base64_text import TO_URL
from retrace_core.replay.listed import in_recorded_order
from retrace_core.replay.shortened import is_shortened, shortened
from retrace_core.replay.shown_part import shown_as_recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from retrace_core.recording import Recording

__all__ = ["Masks", "masks_of"]

_LEAST = 3
_LEAST_TOLD = 8
"""A shorter one may stand in a text by chance, and is not replaced."""
_UPPER, _LOWER, _DIGIT = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz", b"0123456789"
_OTHER = bytes(range(0x80, 0x100))
"""What letters of other languages are made of."""
_ALIKE = _UPPER + _LOWER + _DIGIT + b"-_+/" + _OTHER
_SHAPE = bytes.maketrans(_ALIKE, b"x" * len(_ALIKE))
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_PARTED = bytes.maketrans(b"._-", b"   ")
"""The parts of a name, as they are written for a person to read."""
_CASE = bytes.maketrans(_UPPER + _LOWER, b"X" * 26 + b"x" * 26)
_INITIALS = re.compile(rb"(?<![A-Za-z0-9])[A-Za-z0-9]{1,2}(?![A-Za-z0-9])")
"""A word of one or two letters: what stands for the picture of whoever has none."""
_NOTHING: Mapping[bytes, bytes] = MappingProxyType({})
_NUMBERED = re.compile(rb"&#(3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6]);")
_WRITTEN = b"\0".ljust(256, b"\1")
_FILLED = re.compile(rb"[^A-Za-z0-9]*([A-Za-z0-9])(?:[^A-Za-z0-9]|\1)*")
"""A mask that was shortened so that it can be packed: one letter again and again."""


class Masks:
    """The pseudonyms of one recording, and what the replayed code says for them.

    Args:
        texts: the pseudonyms, as they are written.
    """

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._texts = tuple(text for text in texts if len(text) >= _LEAST)
        shortened.note(self._texts)
        self._filled = frozenset(filter(_FILLED.fullmatch, self._texts))
        """Those that may stand for several secrets: each place may say another text."""
        self._heads = tuple(dict.fromkeys(_heads_of(self._texts)))
        """What stands before the "@" of addresses: code takes it for a name."""
        self._initials = frozenset(head[:size] for head in self._heads for size in (1, 2))
        self._named: dict[bytes, bytes] = {}
        self._says: dict[bytes, bytes] = {}
        self._learns = True
        self._true: dict[bytes, bytes] = {}
        self._told: dict[bytes, bytes] = {}
        self._was: dict[bytes, bytes] = {}
        self._lettered: Masks | None = None
        """The same, of what is written by the numbers of its characters."""

    @property
    def says(self) -> Mapping[bytes, bytes]:
        """What the replayed code said for pseudonyms, where that was something else."""
        return self._says

    def tell(self, says: Mapping[bytes, bytes], true: Mapping[bytes, bytes] = _NOTHING) -> None:
        """Have the code told other texts than the pseudonyms.

        Args:
            says: what the replays before this one had said for the same.
            true: what they stand for, where the code has that itself.
        """
        known = {text: says[text] for text in self._texts if text in says}
        self._says.update(known)
        told = {text: now for text, now in known.items() if len(text) >= _LEAST_TOLD}
        self._true = {text: true[text] for text in true if text not in self._filled}
        self._texts = tuple(dict.fromkeys((*self._texts, *self._true)))
        self._told = {**told, **self._true}
        self._was = {now: text for text, now in self._told.items()}

    def told(self, value: Any) -> Any:
        """Return what the code is told: a recorded value, with what was said for pseudonyms."""
        return _replaced(value, self._told) if self._told else value

    def recorded(self, data: bytes) -> bytes:
        """Return what the code says as it stands in the recording: the other way round."""
        return _replaced(data, self._was) if self._was else data

    def lengthened(self, data: bytes) -> bytes:
        """Return what the code says with masks whole that were shortened where it read them."""
        return shortened.lengthened(data)

    def __bool__(self) -> bool:
        return bool(self._texts)

    def hold(self, same: Callable[[], bool], *, learns: bool = True) -> bool:
        """Return what `same` returns; what was learned from texts meanwhile counts if it is True.

        Args:
            same: compares several texts by `self.same`.
            learns: False where only what the code said before counts.
        """
        before, learned = self._says, self._learns
        self._says, self._learns = dict(before), learns
        held = False
        try:
            held = same()
        finally:
            self._learns = learned
            if not held:
                self._says = before
        return held

    def same(self, recorded: str | bytes, asked: str | bytes) -> bool:
        """Return True when two texts are equal but for what was masked in the recorded one."""
        if recorded == asked:
            return True
        if isinstance(recorded, str):
            recorded = recorded.encode("utf-8", "surrogatepass")
        if isinstance(asked, str):
            asked = asked.encode("utf-8", "surrogatepass")
        if not self._texts:
            return False
        if len(recorded) == len(asked):
            asked = shown_as_recorded(recorded, _in_alphabet(recorded, asked), self._texts)
            listed = in_recorded_order(recorded, asked, self._masked(recorded))
            if listed is not None and self._same(recorded, listed):
                return True
            if self._same(recorded, asked) or self._same_but_names(recorded, asked):
                return True
        return self._same_by_letters(recorded, asked)

    def _same_by_letters(self, recorded: bytes, asked: bytes) -> bool:
        """Compare where a page writes addresses by the numbers of their characters: by these.

        A mask of such a one is as long as what it stands for, and letters have two digits or three.
        """
        if b"&#" not in recorded or _numbered_places(recorded) != _numbered_places(asked):
            return False
        if self._lettered is None:
            self._lettered = Masks(_lettered(text) for text in self._texts)
        said, now = _lettered(recorded), _lettered(asked)
        return self._lettered._same(said, now)

    def _same_but_names(self, recorded: bytes, asked: bytes) -> bool:
        """Compare where the code took the name out of a masked address, or its first letters.

        It stands in the recording as it is, since no name and no look tells that it is secret.
        """
        named: dict[bytes, bytes] = {}
        changed = bytearray(asked)
        for begin, which in native.find_all(asked, self._heads, False, 0) if self._heads else ():
            head = self._heads[which]
            was = recorded[begin : begin + len(head)]
            if was == head or was.translate(_SHAPE) != head.translate(_SHAPE):
                continue
            if self._named.get(head, named.setdefault(head, was)) == was:
                changed[begin : begin + len(head)] = was
        for word in _INITIALS.finditer(asked) if self._initials else ():
            now, was = word[0], recorded[word.start() : word.end()]
            if (
                was == now
                or now not in self._initials
                or was.translate(_CASE) != now.translate(_CASE)
            ):
                continue
            if self._named.get(now, named.setdefault(now, was)) == was:
                changed[word.start() : word.end()] = was
        if changed == asked or not self._same(recorded, bytes(changed)):
            return False
        self._named.update(named)
        return True

    def _same(self, recorded: bytes, asked: bytes) -> bool:
        place = 0
        said: dict[bytes, bytes] = {}
        for begin, text in self._masked(recorded):
            end = begin + len(text)
            now = asked[begin:end]
            if recorded[place:begin] != asked[place:begin]:
                return False
            place = end
            if now in (text, self._true.get(text)) or is_shortened(text, now):
                continue
            known = self._says.get(text, said.setdefault(text, now))
            if (
                not (self._learns or text in self._says)
                or now.translate(_SHAPE) != text.translate(_SHAPE)
                or (text not in self._filled and not _alike(known, now))
            ):
                return False
            if is_shortened(now, known):
                said[text] = now
        if recorded[place:] != asked[place:]:
            return False
        self._says.update(said)
        return True

    def _masked(self, recorded: bytes) -> Iterator[tuple[int, bytes]]:
        hits = native.find_all(recorded, self._texts, False, 0)
        place = 0
        for begin, which in sorted(hits, key=lambda one: (one[0], -len(self._texts[one[1]]))):
            if begin >= place:
                yield begin, self._texts[which]
                place = begin + len(self._texts[which])


def _heads_of(texts: Iterable[bytes]) -> Iterator[bytes]:
    for text in texts:
        head, at, _ = text.partition(b"@")
        if not at or len(head) < _LEAST:
            continue
        for name in (head, head.translate(_PARTED)):
            yield from (name, name.capitalize(), name.upper(), name.title())


def _alike(known: bytes, now: bytes) -> bool:
    return known == now or is_shortened(known, now) or is_shortened(now, known)


def _in_alphabet(recorded: bytes, asked: bytes) -> bytes:
    """Return what was asked with its base64 in the alphabet of what was recorded.

    A digest that has none of the characters in which the two alphabets differ does not tell which
    of them it is written in, and its pseudonym may have some.
    """
    changed = bytearray(asked)
    for run in _BASE64.finditer(recorded):
        was, now = run[0], asked[run.start() : run.end()]
        if was != now and was.translate(TO_URL) == now.translate(TO_URL):
            changed[run.start() : run.end()] = was
    return bytes(changed)


def _numbered_places(text: bytes) -> bytes:
    """Return a text with 0 for each character that is written by its number, 1 for others."""
    return _NUMBERED.sub(b"\0", text).translate(_WRITTEN)


def _lettered(text: bytes) -> bytes:
    return _NUMBERED.sub(lambda found: bytes((int(found[1]),)), text)


def _replaced(value: Any, texts: Mapping[bytes, bytes]) -> Any:
    """Return a value with texts replaced by others of the same length; it is not changed itself."""
    if isinstance(value, bytes):
        for text in texts:
            if text in value:
                pattern = b"|".join(map(re.escape, sorted(texts, key=len, reverse=True)))
                return re.sub(pattern, lambda found: texts[found[0]], value)
        return value
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        now = _replaced(data, texts)
        return value if now is data else now.decode("utf-8", "surrogatepass")
    if type(value) in (list, tuple):
        return type(value)(_replaced(one, texts) for one in value)
    if type(value) is dict:
        return {_replaced(name, texts): _replaced(one, texts) for name, one in value.items()}
    return value


def masks_of(recording: Recording) -> Masks | None:
    """Return the masks of a recording, None where nothing was masked."""
    return None if recording.redaction is None else Masks(recording.redaction.masks)
