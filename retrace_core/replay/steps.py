"""Steps of an event loop: what tasks hand to one another before the next answer comes.

In production an answer from outside comes when the loop has nothing else to do; on replay it is
there at once. So what is ready runs first, unless answers came together.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

from retrace_core.recording import Event

if TYPE_CHECKING:
    from retrace_core.recording import Recording

__all__ = ["came_together", "others_run"]

_TOGETHER_US = 100
"""Answers that came this close to one another probably came in one step of the event loop."""
_MOST_STEPS = 100
"""How many steps of other tasks run before an answer is given, where they never end."""


def came_together(recording: Recording) -> frozenset[int]:
    """Return the numbers of the answers that came with the one before them."""
    events = sorted(
        (event.seq, event.end_us)
        for lane in recording.lanes
        for event in lane.events
        if isinstance(event, Event)
    )
    return frozenset(
        seq
        for (_, before_us), (seq, end_us) in itertools.pairwise(events)
        if end_us - before_us < _TOGETHER_US
    )


async def others_run() -> None:
    """Let the event loop do what is ready, as it does before an answer comes from outside."""
    ready: Any = getattr(asyncio.get_running_loop(), "_ready", ())
    for _ in range(_MOST_STEPS):
        if not ready:
            return
        await asyncio.sleep(0)
