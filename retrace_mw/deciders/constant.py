"""Always and Never."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrace_mw.decision import Decision

if TYPE_CHECKING:
    from retrace_mw.request import RequestView

__all__ = ["Always", "Never"]


@dataclass(frozen=True, slots=True)
class Always:
    """Record every request."""

    def __call__(self, request: RequestView) -> Decision:
        """Return yes."""
        return Decision("yes", "every request is recorded", "Always")


@dataclass(frozen=True, slots=True)
class Never:
    """Record no request."""

    def __call__(self, request: RequestView) -> Decision:
        """Return no."""
        return Decision("no", "no request is recorded", "Never")
