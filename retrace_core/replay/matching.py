"""Matching: which recorded call answers the one that is asked, in each mode of a replay.

A matching puts the event that answers at the head of its lane's cursor and says how it came
there. It never hands out a part of an answer (a fetch, a chunk: events without a key) to
another call than its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol, cast

from retrace_core.concurrency.ordering import ORDER
from retrace_core.databases.sqlite.callbacks import CALLED_BACK
from retrace_core.databases.sqlite.memory import is_setting
from retrace_core.recording import CANCELLED, Event
from retrace_core.replay.body_pieces import give_one_more, is_surplus
from retrace_core.replay.cursor import family
from retrace_core.replay.divergence import same_key
from retrace_core.replay.prepared import is_prepared_here
from retrace_core.replay.reordered import same_in_another_order
from retrace_core.replay.sameness import (
    is_read,
    likeness,
    same_batch,
    same_but_parameters,
    same_but_select_list,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retrace_core.replay.cursor import LaneCursor
    from retrace_core.replay.deviation import How

__all__ = ["MODES", "Match", "Matching", "Mode", "PassingOver", "Strict", "Tolerant", "matching"]

Mode = Literal["strict", "tolerant"]

MODES: tuple[Mode, ...] = ("strict", "tolerant")
"""What a replay may do with a call that is not the next recorded one: end there, or go on."""

_MOST_CANDIDATES = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The recorded call that answers; it is at the head of its cursor."""

    how: How | Literal["exact"] = "exact"
    reordered: bool = False
    """It is one of several calls of one statement, in another order than recorded."""
    passed: list[Event] = field(default_factory=lambda: [])
    """Recorded calls that were left out to get there."""
    turns: list[int] = field(default_factory=lambda: [])
    """And their turns, which nobody will take."""


_EXACT = Match()


class Matching(Protocol):
    """Finds the recorded call that answers."""

    def find(self, cursor: LaneCursor, kind: str, asked: object) -> Match | None:
        """Return the match for a call of `kind` with the decoded key `asked`, or None."""

    def nearest(self, cursor: LaneCursor, kind: str, asked: object) -> Match | None:
        """Return one that is not its own, where the mode allows that, else None."""


class Strict:
    """The next recorded call of the lane, or none.

    Where one statement is run again and again, the next is any of them: a mapper takes objects
    from a set of its own, whose order is that of their addresses.
    """

    def find(self, cursor: LaneCursor, kind: str, asked: object) -> Match | None:
        """Return the match, or None."""
        event = cursor.head(kind)
        while event is not None:
            if _answers(cursor, event, kind, asked):
                return _EXACT
            if not (
                is_setting(event)
                or is_surplus(cursor, event, kind)
                or is_prepared_here(cursor, event, kind, asked)
            ):
                break
            cursor.pass_over(event, kind)  # a connection that is set up already here
            event = cursor.head(kind)
        if give_one_more(cursor, kind, asked):
            return _EXACT
        return _one_of_a_run(cursor, event, kind, asked) if event is not None else None

    def nearest(self, cursor: LaneCursor, kind: str, asked: object) -> Match | None:
        """Return None: nothing but its own answer will do."""
        return None


class PassingOver(Strict):
    """Lets the code leave out recorded calls: where it asks for a later one of its lane."""

    def find(self, cursor: LaneCursor, kind: str, asked: object) -> Match | None:
        """Return the match, or None."""
        return super().find(cursor, kind, asked) or self._pass_over(cursor, kind, asked)

    def _pass_over(self, cursor: LaneCursor, kind: str, asked: object) -> Match | None:
        for place, event in enumerate(cursor.waiting):
            if _answers(cursor, event, kind, asked):
                passed, turns = cursor.skip(place)
                return Match(passed=passed, turns=turns)
        return None


class Tolerant(PassingOver):
    """Goes on wherever it can, and says so each time.

    Args:
        cursors: of all lanes, by their ids; more may come.
    """

    def __init__(self, cursors: Mapping[str, LaneCursor]) -> None:
        self._cursors = cursors

    def find(self, cursor: LaneCursor, kind: str, asked: object) -> Match | None:
        """Return the match, or None."""
        if cursor.has_copies():
            found = Strict.find(self, cursor, kind, asked)
            if found is not None:
                return found
            cursor.drop_copies()
            cursor.head(kind)
        found = Strict.find(self, cursor, kind, asked)
        if found is not None or asked is None:
            return found or self._pass_over(cursor, kind, asked)
        return (
            self._reordered(cursor, kind, asked)
            or self._repeated(cursor, kind, asked)
            or self._pass_over(cursor, kind, asked)
            or self._changed(cursor, kind, asked)
        )

    def nearest(self, cursor: LaneCursor, kind: str, asked: object) -> Match | None:
        """Return the most alike recorded call of the kind, of this lane or else of another."""
        if asked is None:
            return None  # part of an answer: there is none that is near
        others = [one for one in self._cursors.values() if one is not cursor]
        found = _most_alike([cursor], kind, asked) or _most_alike(others, kind, asked)
        if found is None:
            return None
        home, event = found
        cursor.insert(home.group(event), event)
        return Match(how="nearest")

    def _reordered(self, cursor: LaneCursor, kind: str, asked: object) -> Match | None:
        """Return a later read, where nothing but reads stands before it."""
        for event in _reads_ahead(cursor):
            if event.kind == kind and same_key(event.key, asked, masks=cursor.masks):
                cursor.bring_forward(event)
                return Match(how="reordered")
        return None

    def _changed(self, cursor: LaneCursor, kind: str, asked: object) -> Match | None:
        for event in _reads_ahead(cursor):
            if event.kind == kind and same_but_select_list(event.key, asked):
                cursor.bring_forward(event)
                return Match(how="changed")
        return None

    def _repeated(self, cursor: LaneCursor, kind: str, asked: object) -> Match | None:
        """Return a read that was made before, where only reads were made since."""
        for event in reversed(cursor.used):
            if not is_read(event):
                return None
            if event.kind == kind and (
                same_key(event.key, asked, masks=cursor.masks) and event.status != CANCELLED
            ):
                cursor.insert(cursor.group(event) or [event], event)
                return Match(how="repeated")
        return None


def matching(mode: Mode, cursors: Mapping[str, LaneCursor], *, passes_over: bool) -> Matching:
    """Return the matching of a mode.

    Args:
        mode: of the replay.
        cursors: of all lanes.
        passes_over: recorded calls may be left out in strict mode too.
    """
    if mode == "tolerant":
        return Tolerant(cursors)
    return PassingOver() if passes_over else Strict()


def _answers(cursor: LaneCursor, event: Event, kind: str, asked: object) -> bool:
    if event.kind != kind:
        return False
    same = same_key(event.key, asked, masks=cursor.masks)
    alike = partial(same_key, masks=cursor.masks)
    if not (
        same
        or same_batch(kind, event.key, asked, alike)
        or same_in_another_order(event.key, asked, alike)
    ):
        return False
    return event.key is not None or cursor.belongs(event)


def _one_of_a_run(cursor: LaneCursor, first: Event, kind: str, asked: object) -> Match | None:
    """Return a later run of the statement that comes next, where nothing else stands between."""
    if first.kind != kind or cursor.has_copies() or not same_but_parameters(first.key, asked):
        return None
    for event in cursor.waiting:
        if event.key is None:
            if cursor.owner(event) is None:
                return None
        elif event.kind != kind or not same_but_parameters(first.key, event.key):
            return None
        elif _answers(cursor, event, kind, asked):
            cursor.bring_forward(event)
            return Match(reordered=True)
    return None


def _reads_ahead(cursor: LaneCursor) -> list[Event]:
    """Return the reads that come before the next write, and may change places.

    Where the parts of a boundary's answers are mixed, it can't be told which part is whose:
    then only the first of its reads may be taken, and where it stands.
    """
    ahead: list[Event] = []
    parts: list[int] = []
    for event in cursor.waiting:
        if event.kind in ORDER or event.kind == CALLED_BACK:
            continue
        if event.key is None:
            if not ahead or cursor.owner(event) not in ahead:
                break
            parts[ahead.index(cast("Event", cursor.owner(event)))] += 1
        elif is_read(event):
            ahead.append(event)
            parts.append(0)
        else:
            break
    # One without parts beside one with some: its parts may be among the other's.
    counts = [(family(event.kind), count) for event, count in zip(ahead, parts, strict=True)]
    mixed = {name for name, count in counts if count} & {
        name for name, count in counts if not count
    }
    return [
        event for place, event in enumerate(ahead) if not place or family(event.kind) not in mixed
    ]


def _most_alike(
    cursors: list[LaneCursor], kind: str, asked: object
) -> tuple[LaneCursor, Event] | None:
    found = [
        (cursor, event)
        for cursor in cursors
        for event in cursor.all
        if event.kind == kind and event.key is not None and event.status != CANCELLED
    ][:_MOST_CANDIDATES]
    if not found:
        return None
    waiting = {id(event) for cursor in cursors for event in cursor.waiting}

    def rank(one: tuple[LaneCursor, Event]) -> tuple[float, bool]:
        return likeness(one[1].key, asked), id(one[1]) in waiting

    return max(found, key=rank)
