"""Polling: a thread that looks again and again whether another's work is done sleeps in between.

How often it does is by chance, as joblib's does; so a replay lets it sleep once more, or once
less, than was recorded: with nothing else asked between two sleeps, and only beside other lanes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from retrace_core import native
from retrace_core.recording import LANE_END, RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from retrace_core.recording import Event
    from retrace_core.replay.cursor import LaneCursor

__all__ = ["SLEEP", "Polling", "only_naps"]

SLEEP = "time.sleep"
_NAP_S = 0.01
"""How long such a sleep takes on replay, at most, in seconds."""
_LEAST_S = 0.001
"""And as how long it counts, at least."""


class Polling:
    """Who may sleep oftener, or less often, than was recorded.

    Args:
        cursors: of all lanes, by their ids.
        patience_s: how long a lane may sleep for one answer, in seconds.
    """

    def __init__(self, cursors: Mapping[str, LaneCursor], patience_s: float) -> None:
        self._cursors, self._patience_s = cursors, patience_s

    def naps(self, cursor: LaneCursor, event: Event | None, seconds: object) -> bool:
        """Sleep once more than recorded, and let others run; False where nobody polls.

        Args:
            cursor: of the lane that sleeps.
            event: the next recorded one of it.
            seconds: how long it wants to.
        """
        if len(self._cursors) < 2 or cursor.napped_s > self._patience_s or _is_nap(event):
            return False
        took = min(seconds, _NAP_S) if isinstance(seconds, int | float) else _NAP_S
        native.exempt(1)
        try:
            time.sleep(took)
        finally:
            native.exempt(-1)
        cursor.napped_s += max(took, _LEAST_S)
        return True

    def pass_over(self, head: Callable[[], Event | None], cursor: LaneCursor, kind: str) -> None:
        """Leave out the recorded sleeps that come next, where the code goes on at once.

        Args:
            head: says which the next recorded event is.
            cursor: of the lane that asks.
            kind: of the call that is asked.
        """
        while _is_nap(head()) and kind != SLEEP and len(self._cursors) > 1:
            cursor.passed += cursor.skip(1)[1]


def _is_nap(event: Event | None) -> bool:
    """Return True for a sleep that took its time."""
    return event is not None and event.kind == SLEEP and event.status == RETURNED


def only_naps(left: Iterable[tuple[Event, int]]) -> bool:
    """Return True where nothing is left of a lane but sleeps: it polled less often this time."""
    return all(_is_nap(event) or event.kind == LANE_END for event, _ in left)
