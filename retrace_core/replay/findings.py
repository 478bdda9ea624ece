"""Findings: what a replay found to be not as recorded, kept while it runs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from retrace_core.concurrency.handed_over import HANDED_OVER
from retrace_core.concurrency.ordering import ORDER
from retrace_core.coverage.asking_line import asking_line
from retrace_core.recording import CANCELLED, LANE_END
from retrace_core.replay.body_pieces import is_piece
from retrace_core.replay.deviation import Deviation
from retrace_core.replay.divergence import Divergence
from retrace_core.replay.polling import only_naps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retrace_core.recording import Event
    from retrace_core.replay.cursor import LaneCursor
    from retrace_core.replay.deviation import How
    from retrace_core.replay.matching import Mode

__all__ = ["Findings"]


class Findings:
    """What was not as recorded.

    Args:
        cursors: of the lanes, by their ids; more may come.
        mode: of the replay.
        passes_over: recorded calls may be left out in strict mode too.
    """

    def __init__(self, cursors: Mapping[str, LaneCursor], *, mode: Mode, passes_over: bool) -> None:
        self.divergence: Divergence | None = None
        self.notes: list[str] = []
        self.passed: list[Event] = []
        """The recorded calls that were passed over."""
        self.first_passed: Divergence | None = None
        self.computed: Counter[tuple[str, str]] = Counter()
        """(lane, kind) -> calls that were not recorded, and were answered in memory."""
        self.reordered = 0
        """Calls in another order than recorded, among others of the same statement."""
        self._deviations: list[Deviation] = []
        self._cursors = cursors
        self._mode = mode
        self._passes_over = passes_over

    def divergence_at(
        self, lane: str, cursor: LaneCursor, kind: str, key: object, reason: str = ""
    ) -> Divergence:
        """Return the divergence of a call that has no answer."""
        if not reason and self._mode == "tolerant":
            reason = "no call of this kind was recorded that could answer"
        elif not reason and self._passes_over:
            reason = "the changed code path left the recording, which has no answer to this call"
        return _divergence(lane, kind, key, reason, cursor.ahead(), cursor)

    def deviates(
        self, how: How, lane: str, kind: str, asked: object, recorded: Event | None
    ) -> None:
        """Note a call that went on, though not as recorded."""
        where = asking_line() if asked is not None else None
        self._deviations.append(
            Deviation(how=how, lane=lane, kind=kind, asked=asked, recorded=recorded, where=where)
        )

    def passed_over(
        self,
        lane: str,
        kind: str,
        asked: object,
        passed: list[Event],
        ahead: tuple[int, Event | None],
    ) -> None:
        """Note which recorded calls the code has left out.

        Args:
            lane: whose code.
            kind, asked: the later call that it made.
            passed: what was left out.
            ahead: where the lane stood before.
        """
        if self.first_passed is None:
            reason = "the changed code path left out a recorded call"
            cursor = self._cursors[lane]
            self.first_passed = _divergence(lane, kind, asked, reason, ahead, cursor)
        for event in passed:
            if event.kind not in ORDER:
                self.passed.append(event)
                if event.key is not None:
                    self.deviates("left out", lane, event.kind, None, event)

    def deviations(self) -> list[Deviation]:
        """Return what went on though it was not as recorded, in tolerant mode extra reads too."""
        if self._mode == "strict":
            # What a flipped flag leaves out is told by `first_passed` and counted as unused.
            return [one for one in self._deviations if one.how != "left out"]
        return self._deviations + [
            Deviation(how="extra read", lane=lane, kind=kind, asked=f"by {site}")
            for lane, cursor in self._cursors.items()
            for kind, site in dict.fromkeys(cursor.soft.extra)
        ]

    def summarise(self) -> list[str]:
        """Return what else there is to say: calls not made again, reads made too often."""
        notes = list(self.notes)
        for lane, cursor in self._cursors.items():
            left = [event for event, _ in cursor.left() if _asks(event)]
            if left and cursor.complete and self.divergence is None:
                first = left[0]
                notes.append(
                    f"lane {lane}: {len(left)} recorded calls were not made again,"
                    f" the first was {first.kind} {first.key!r}"[:300]
                )
            for kind, site in dict.fromkeys(cursor.soft.extra):
                if site.endswith(":<module>"):
                    continue  # imported here, and before the request when it was recorded
                notes.append(f"lane {lane}: {kind} was read more often than recorded by {site}")
        if self.reordered:
            notes.append(
                f"{self.reordered} calls of one statement with other parameters, or for several"
                " indexes, came in another order than recorded, as from a set of objects"
            )
        for (lane, kind), times in self.computed.items():
            notes.append(
                f"lane {lane}: {kind} was not recorded {times} times; the replay's own database in"
                " memory answered"
            )
        return notes

    def unused(self) -> list[Event]:
        """Return the recorded calls of complete lanes that were not made again."""
        return self.passed + [
            event
            for cursor in self._cursors.values()
            if cursor.complete and not (len(self._cursors) > 1 and only_naps(cursor.left()))
            for event, _ in cursor.left()
            if _asks(event)
            if cursor.masks is None or not is_piece(event)
        ]


def _asks(event: Event) -> bool:
    """Return False for order, ends, and a wait for other work's doing that was called off."""
    if event.kind == HANDED_OVER and event.status == CANCELLED:
        return False
    return event.kind not in (LANE_END, *ORDER)


def _divergence(
    lane: str,
    kind: str,
    key: object,
    reason: str,
    ahead: tuple[int, Event | None],
    cursor: LaneCursor,
) -> Divergence:
    position, recorded = ahead
    return Divergence(
        lane=lane,
        position=position,
        recorded=recorded,
        asked_kind=kind,
        asked_key=key,
        where=asking_line(),
        neighbours=cursor.neighbours(position),
        reason=reason,
    )
