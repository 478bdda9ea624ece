"""Divergence: the first point at which replay asked something else than was recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from retrace_core.checksum import crc32_in
from retrace_core.codec import Opaque
from retrace_core.crypto.checking import SECRET
from retrace_core.redaction.compressed import content
from retrace_core.redaction.tokens import opened
from retrace_core.replay.span_comments import without_spans

if TYPE_CHECKING:
    from retrace_core.recording import Event, Frame
    from retrace_core.replay.masks import Masks

__all__ = ["DivergedError", "Divergence", "same_key"]


_DIGEST = 32


class DivergedError(BaseException):
    """Ends the replayed code where it leaves the recording.

    It is no `Exception`, so that the application does not take it for a failure of its own
    and go on with answers that were never given.
    """

    def __init__(self, divergence: Divergence) -> None:
        super().__init__(divergence.summary())
        self.divergence = divergence


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """What was recorded, what was asked instead, and which line asked."""

    lane: str
    position: int
    """Place of the event among the hard events of its lane; the first is 0."""
    recorded: Event | None
    """The recorded event that should have come next, or None after the last one."""
    asked_kind: str
    asked_key: Any
    where: Frame | None = None
    """The application's line that asked."""
    neighbours: list[Event] = field(default_factory=lambda: [])
    """The recorded events before and after it in its lane."""
    reason: str = ""

    def summary(self) -> str:
        """Return it in words, as one paragraph."""
        asked = f"{self.asked_kind} {_short(self.asked_key)}".strip()
        at = (
            f" ({self.where.file}:{self.where.line} in {self.where.function})" if self.where else ""
        )
        if self.reason:
            return f"lane {self.lane}, event {self.position}: {self.reason}: {asked}{at}"
        if self.recorded is None:
            return (
                f"lane {self.lane}, event {self.position}: the code asked for {asked}{at}, but"
                " nothing more was recorded in this lane. A cold cache is a likely cause: what"
                " an earlier request had filled is asked for again on replay"
            )
        was = f"{self.recorded.kind} {_short(self.recorded.key)}".strip()
        return f"lane {self.lane}, event {self.position}: recorded was {was}; asked was {asked}{at}"


def same_key(recorded: Any, asked: Any, *, masks: Masks | None = None) -> bool:
    """Return True when two decoded keys ask the same; opaque values by their type only.

    Args:
        recorded, asked: the keys.
        masks: where secrets of the recording are masked: checksums, which are of the true values,
            are not compared, and texts but for what was masked.
    """
    if isinstance(recorded, Opaque) and isinstance(asked, Opaque):
        return recorded.type == asked.type
    if type(recorded) is not type(asked):
        if isinstance(asked, dict) and asked.keys() == {SECRET}:  # by itself before 2026-11-29
            return same_key(recorded, asked[SECRET], masks=masks)
        return _same_bare_checksum(recorded, asked, masked=masks is not None)
    if isinstance(recorded, (list, tuple)):
        pairs = zip(recorded, asked, strict=False)
        return len(recorded) == len(asked) and all(same_key(a, b, masks=masks) for a, b in pairs)
    if isinstance(recorded, dict):
        return recorded.keys() == asked.keys() and all(
            same_key(value, asked[name], masks=masks) for name, value in recorded.items()
        )
    if masks is not None:
        if crc32_in(recorded) is not None and crc32_in(asked) is not None:
            return True
        if isinstance(recorded, str | bytes):
            was, now = without_spans(recorded), without_spans(asked)
            return (
                masks.same(was, now)
                or _same_opened(was, now, masks)
                or _same_unpacked(was, now, masks)
            )
    if recorded == asked:
        return True
    if isinstance(recorded, str | bytes):
        return bool(without_spans(recorded) == without_spans(asked))
    return bool(recorded != recorded and asked != asked)


def _same_opened(recorded: str | bytes, asked: str | bytes, masks: Masks) -> bool:
    """Compare texts by what the compressed sessions in them say: they may have other lengths."""
    was, now = map(_bytes, (recorded, asked))
    if b".e" not in was or b".e" not in now:
        return False
    says = opened(was)
    return says is not was and masks.same(says, opened(now))


def _same_unpacked(recorded: str | bytes, asked: str | bytes, masks: Masks) -> bool:
    """Compare packed values by their content: a cache compresses what it is given.

    The writer packs a mask such that the value has its length; the code packs it as ever.
    """
    was, now = map(_bytes, (recorded, asked))
    says = content(was, brotli=False)
    said = None if says is None else content(now, brotli=False)
    return says is not None and said is not None and masks.same(says, said)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def _same_bare_checksum(recorded: Any, asked: Any, *, masked: bool) -> bool:
    """Compare with a checksum that stands there as a number, as written before 2026-11-28.

    Of what is signed there was a digest until a day later, with which it can't be compared.
    """
    if type(recorded) is bytes and len(recorded) == _DIGEST:
        return crc32_in(asked) is not None
    if type(recorded) is not int:
        return False
    crc32 = crc32_in(asked)
    return crc32 is not None and (masked or recorded == crc32)


def _short(key: Any, limit: int = 200) -> str:
    if key is None:
        return ""
    text = key if isinstance(key, str) else repr(key)
    return text if len(text) <= limit else text[:limit] + "…"
