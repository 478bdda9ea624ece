"""Call lanes: one for each call of a function that a request hands out, numbered as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.native import REPLAY

if TYPE_CHECKING:
    from retrace_core.lanes import Lane

__all__ = ["CallLanes"]


class CallLanes:
    """The lanes of one function's calls.

    Args:
        parent: the lane that hands the function over.
    """

    def __init__(self, parent: Lane) -> None:
        self.parent = parent
        self.id = parent.next_future_id()
        """Of the function, the same again on replay."""
        self._calls = 0

    def spawn(self) -> Lane:
        """Return the lane of the call that is made now."""
        return self.parent.scope.spawn(self.parent, self._next())

    def recorded(self) -> list[Lane]:
        """Return the lanes of all calls that were recorded (replay only; else none)."""
        lanes: list[Lane] = []
        if self.parent.mode == REPLAY:
            while (lane := self.parent.scope.expect(self.parent, self._next())) is not None:
                lanes.append(lane)
        return lanes

    def _next(self) -> str:
        number, self._calls = self._calls, self._calls + 1
        return f"{self.id}.{number}"
