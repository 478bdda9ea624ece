"""Masks: compares what the code says on replay with what it said, where secrets were masked.

Mostly the code says the pseudonym itself, since it got nothing else. But what stands in the code
(an address at the foot of a page), or is reckoned from a secret that is masked (a signature),
comes out as another text of the same shape. It must be the same one each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core import native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from retrace_core.recording import Recording

__all__ = ["Masks", "masks_of"]

_LEAST = 3
_UPPER, _LOWER, _DIGIT = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz", b"0123456789"
_OTHER = bytes(range(0x80, 0x100))
"""What letters of other languages are made of."""
_ALIKE = _UPPER + _LOWER + _DIGIT + b"-_+/" + _OTHER
_SHAPE = bytes.maketrans(_ALIKE, b"x" * len(_ALIKE))


class Masks:
    """The pseudonyms of one recording, and what the replayed code says for them.

    Args:
        texts: the pseudonyms, as they are written.
    """

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._texts = tuple(text for text in texts if len(text) >= _LEAST)
        self._says: dict[bytes, bytes] = {}
        self._learns = True

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
        if len(recorded) != len(asked) or not self._texts:
            return False
        place = 0
        said: dict[bytes, bytes] = {}
        for begin, text in self._masked(recorded):
            end = begin + len(text)
            now = asked[begin:end]
            if recorded[place:begin] != asked[place:begin]:
                return False
            if now != text and (
                not (self._learns or text in self._says)
                or now.translate(_SHAPE) != text.translate(_SHAPE)
                or self._says.get(text, said.setdefault(text, now)) != now
            ):
                return False
            place = end
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


def masks_of(recording: Recording) -> Masks | None:
    """Return the masks of a recording, None where nothing was masked."""
    return None if recording.redaction is None else Masks(recording.redaction.masks)
