"""Deviation: an answer that was not simply the next recorded one, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from retrace_core.recording import Event, Frame

__all__ = ["Deviation", "How"]

How = Literal["left out", "reordered", "changed", "repeated", "nearest", "extra read", "live"]

_WORDS: dict[str, str] = {
    "left out": "a recorded call was left out",
    "reordered": "a read was made in another place than recorded, with no write in between",
    "changed": "the SELECT list changed; the rows are those of the recorded one",
    "repeated": "a read was made once more than recorded, and answered as the time before",
    "nearest": "WARNING: not recorded; answered by the nearest recorded call, which is another one",
    "extra read": "a clock or entropy source was read more often than recorded",
    "live": "LIVE: not recorded; the real world was asked",
}
_LIMIT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One call that was asked otherwise than recorded, and went on none the less."""

    how: How
    """ "left out": recorded and not made; "nearest": made, and answered by another call's
    answer; "live": answered by the real world ..."""
    lane: str
    kind: str
    asked: Any = None
    """What was asked; None where nothing was."""
    recorded: Event | None = None
    """The recorded call that answered, or that was left out."""
    where: Frame | None = None
    """The application's line that asked."""

    @property
    def words(self) -> str:
        """What happened, without the calls."""
        return _WORDS[self.how]

    def summary(self) -> str:
        """Return it in words, on one line."""
        at = f" ({self.where.file}:{self.where.line})" if self.where else ""
        parts: list[str] = []
        if self.asked is not None:
            parts.append(f"asked {self.kind} {_short(self.asked)}{at}")
        if self.recorded is not None:
            parts.append(f"recorded {self.recorded.kind} {_short(self.recorded.key)}")
        return f"lane {self.lane}: {self.words}: {'; '.join(parts)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LIMIT else text[:_LIMIT] + "…"
