"""Steps of an event loop: what tasks hand to one another before the next answer comes.

In production an answer from outside comes when the loop has nothing else to do, or some steps
after the one before, or together with it; on replay it is there at once. So what ran between
two answers runs again before the second one is given.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from retrace_core.recording import CANCELLED, Event

if TYPE_CHECKING:
    from retrace_core.recording import Recording

__all__ = ["Steps", "others_run", "steps_of"]

_MOST_STEPS = 100
"""How many steps of other tasks run before an answer is given, where they never end."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How the answers of one recording lay in the steps of their event loops."""

    after: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    """Number of an answer -> number of the next one, and how many steps later it came."""
    together: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    """Number of an answer -> numbers of those that other tasks had in the same step after it."""
    known: frozenset[int] = frozenset()
    """Answers that did not wait until the loop had nothing else to do."""


def steps_of(recording: Recording) -> Steps:
    """Return how the answers of a recording lay in the steps of their event loops."""
    if not recording.steps:
        return Steps()
    events = {
        event.seq: (lane.id, event)
        for lane in recording.lanes
        for event in lane.events
        if isinstance(event, Event) and event.status != CANCELLED
    }
    after: dict[int, tuple[int, int]] = {}
    together: dict[int, list[int]] = {}
    first_of: dict[int, int] = {}
    for before, seq, between in sorted(recording.steps, key=lambda gap: gap[1]):
        if seq not in events:
            continue
        if between:
            after[before] = (seq, between)
            continue
        first = first_of[seq] = first_of.get(before, before)
        lane_id, event = events[seq]
        if first in events:
            first_lane, leading = events[first]
            asked_us = event.end_us - event.duration_us
            if lane_id != first_lane and asked_us <= leading.end_us:
                together.setdefault(first, []).append(seq)
    known = frozenset(seq for _, seq, _ in recording.steps)
    return Steps(after, together, known)


async def others_run() -> None:
    """Let the event loop do what is ready, as it does before an answer comes from outside."""
    ready: Any = getattr(asyncio.get_running_loop(), "_ready", ())
    for _ in range(_MOST_STEPS):
        if not ready:
            return
        await asyncio.sleep(0)
