"""Placed answers: the clock and entropy reads of a boot tape's chapter, by where they were made.

A lane of the replay has no name by which its recorded lane could be known: that depends on the
server. But its last call was found in one. What is read next comes from what was read there
since, so that one read more or less elsewhere (a module that is imported later) changes nothing.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from retrace_core.replay.soft import SoftAnswers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retrace_core.recording import SoftEvent

__all__ = ["PlacedAnswers", "PlacedRead"]

PlacedRead = tuple[str, int, "SoftEvent"]
"""The recorded lane, how many calls it had made before, and what was read."""


class PlacedAnswers(SoftAnswers):
    """The clock and entropy reads of a chapter, to be given back.

    Args:
        reads: what was read, lane by lane.
        started_ns: as for `SoftAnswers`.
        seed: as for `SoftAnswers`.
        pid: as for `SoftAnswers`.
    """

    def __init__(
        self, reads: Iterable[PlacedRead], *, started_ns: int, seed: str, pid: int = 0
    ) -> None:
        kept = list(reads)
        super().__init__((event for *_, event in kept), started_ns=started_ns, seed=seed, pid=pid)
        self._places: dict[tuple[str, str], deque[tuple[str, int]]] = {}
        for lane, calls, event in kept:
            self._places.setdefault((event.kind, event.site), deque()).append((lane, calls))

    def answer_at(
        self, kind: str, site: str, args: tuple[Any, ...], here: tuple[str, int] | None
    ) -> object:
        """Return what `kind` answers to the function `site`.

        Args:
            kind: which clock or source.
            site: who reads it.
            args: of the read.
            here: the recorded lane, and the number of its call that was answered last; None
                when there was no call yet.
        """
        asked = self._asked(kind, site)
        places, values = self._places.get(asked), self._queues.get(asked)
        if places and values:
            number = _nearest(places, here)
            place, value = places[number], values[number]
            del places[number], values[number]
            places.appendleft(place)
            values.appendleft(value)
        before = len(values) if values else 0
        answer = self.answer(kind, site, args)
        if places and values is not None and len(values) < before:
            places.popleft()
        return answer


def _nearest(places: deque[tuple[str, int]], here: tuple[str, int] | None) -> int:
    """Return which of these reads follows a call: of its lane, since that call, if there is one."""
    if here is None:
        return 0
    lane, call = here
    of_lane = [number for number, place in enumerate(places) if place[0] == lane]
    since = [number for number in of_lane if places[number][1] > call]
    return (since or of_lane or [0])[0]
