"""Limits: what recording may cost, above all deciders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrace_core.stats import count

if TYPE_CHECKING:
    from retrace_mw.decision import Decision
    from retrace_mw.finished import FinishedRequest
    from retrace_mw.request import RequestView

__all__ = ["Limiter", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What recording may cost; each limit by itself, 0 for none."""

    at_once: int = 0
    """Requests recorded at the same time."""


class Limiter:
    """Keeps account of what is recorded, and says when it is enough.

    Args:
        limits: what is allowed.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.seen = 0
        """Requests that were decided on, whatever the decision."""
        self.running = 0
        """Requests that are recorded now."""
        self.looks_at_the_end = False
        """True when a recording that was decided at its start can still be suppressed."""

    def admits(self, request: RequestView, decision: Decision) -> bool:
        """Return whether a request may be recorded; what is not is counted by reason."""
        if self.limits.at_once and self.running >= self.limits.at_once:
            count("suppressed.at_once")
            return False
        self.running += 1
        return True

    def suppresses(self, finished: FinishedRequest, decision: Decision) -> bool:
        """Return whether a recording that would be kept is dropped; counted by reason.

        Args:
            finished: the request, at its end.
            decision: what was decided at its start, "yes" or "tail".
        """
        return False

    def ended(self) -> None:
        """Take note that a request which was admitted is not recorded any more."""
        self.running -= 1
