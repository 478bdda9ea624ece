"""Cursor: what is still to be given back in one lane of a replay."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from retrace_core.ordering import TURN
from retrace_core.recording import Event

if TYPE_CHECKING:
    from retrace_core.recording import LaneEvents
    from retrace_core.replay.soft import SoftAnswers

__all__ = ["LaneCursor"]

_AROUND = 3


class LaneCursor:
    """What is still to be given back in one lane.

    Args:
        lane: the recorded lane, or None for one that was not recorded.
        soft: its clock and entropy reads.
    """

    def __init__(self, lane: LaneEvents | None, soft: SoftAnswers) -> None:
        events = lane.events if lane is not None else []
        self.all = [event for event in events if isinstance(event, Event)]
        self.waiting = deque(self.all)
        self.soft = soft
        self.complete = lane is None or lane.complete
        self.passed: list[int] = []
        """Numbers of turns that were passed over and not given away yet."""

    def head(self, kind: str) -> Event | None:
        """Return the next event; turns that are not taken again are passed over."""
        waiting = self.waiting
        while waiting and waiting[0].kind == TURN and kind != TURN:
            self.passed.append(waiting.popleft().seq)
        return waiting[0] if waiting else None

    @property
    def position(self) -> int:
        """How many events of the lane were given back or passed over."""
        return len(self.all) - len(self.waiting)

    def neighbours(self) -> list[Event]:
        """Return the events round the next one."""
        return self.all[max(0, self.position - _AROUND) : self.position + _AROUND + 1]
