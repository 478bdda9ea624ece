"""Finding: one thing that `doctor` has looked at."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NOTE", "OK", "PROBLEM", "Finding"]

OK, NOTE, PROBLEM = "ok", "note", "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    verdict: str
    """`OK`, `NOTE` or `PROBLEM`."""
    what: str
    words: str
    """What was found and, of a problem, what to do."""
