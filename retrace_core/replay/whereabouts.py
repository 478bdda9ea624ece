"""Whereabouts: where in its chapter each lane of the start-up is on replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrace_core.lanes import Lane
    from retrace_core.replay.chapter import Chapter, Place

__all__ = ["Whereabouts"]


class Whereabouts:
    """Where each lane got its last answer.

    One that had none yet is before the first call of the lane that was recorded under its number
    among its parent's children: SQLAlchemy commits in a task of its own, which asks for nothing
    but "commit", and whose end the application waits for.
    """

    def __init__(self) -> None:
        self._places: dict[Lane, Place] = {}
        self._parents: dict[Lane, Lane] = {}

    def begun(self, lane: Lane, parent: Lane) -> None:
        """Take note of a lane, and of which it was begun in."""
        self._parents[lane] = parent

    def reached(self, lane: Lane, place: Place) -> None:
        """Take note of where a lane got an answer."""
        self._places[lane] = place

    def of(self, lane: Lane, chapter: Chapter | None) -> Place | None:
        """Return where a lane is, None where that is not known yet.

        Args:
            lane: which.
            chapter: in which it is looked for, where it had no answer yet.
        """
        place = self._places.get(lane)
        parent = self._parents.get(lane)
        if place is not None or parent is None or chapter is None:
            return place
        from_where = self.of(parent, chapter)
        if from_where is None or from_where[0] is not chapter:
            return None
        name = f"{from_where[1]}.{lane.id.rpartition('.')[2]}"
        return (chapter, name, -1) if name in chapter.calls else None

    def known(self, chapter: Chapter) -> set[str]:
        """Return the recorded lanes of a chapter that one of here is in."""
        return {name for one, name, _ in self._places.values() if one is chapter}
