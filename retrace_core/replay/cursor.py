"""Cursor: what is still to be given back in one lane of a replay, and in which turns."""

from __future__ import annotations

import itertools
from collections import deque
from typing import TYPE_CHECKING

from retrace_core.codec import decode, encode
from retrace_core.concurrency.handed_over import HANDED_OVER
from retrace_core.concurrency.ordering import GOT, ORDER
from retrace_core.conversation import RECEIVED
from retrace_core.databases.sqlite.callbacks import CALLED_BACK
from retrace_core.databases.sqlite.memory import is_setting
from retrace_core.recording import ASYNC_SLEEP, CANCELLED, FREE, LANE_END, RETURNED, Event
from retrace_core.replay.divergence import same_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrace_core.recording import LaneEvents
    from retrace_core.replay.masks import Masks
    from retrace_core.replay.soft import SoftAnswers

__all__ = ["LaneCursor", "family"]

_AROUND = 3
_NO_TURN = 0
"""The turn of a copy: it takes nobody's."""
_OWN_STREAM = "asgi."
"""Messages of the server come in an order of their own, whatever the application asks."""


class LaneCursor:
    """What is still to be given back in one lane.

    The next answer takes the lowest turn that is left in the lane, whichever event it is, so
    that answers given in another order than recorded keep the order of the lanes.

    Args:
        lane: the recorded lane, or None for one that was not recorded.
        soft: its clock and entropy reads.
        masks: where secrets of the recording are masked.
    """

    def __init__(
        self, lane: LaneEvents | None, soft: SoftAnswers, *, masks: Masks | None = None
    ) -> None:
        self.masks = masks
        events = lane.events if lane is not None else []
        hard = [event for event in events if isinstance(event, Event)]
        self.all = [event for event in hard if not event.kind.startswith(FREE)]
        self.free: dict[tuple[str, bytes], deque[Event]] = {}
        """What is matched in no order, by kind and encoded key."""
        for event in hard:
            if event.kind.startswith(FREE):
                asked = (event.kind, encode(event.key))
                self.free.setdefault(asked, deque()).append(event)
        self.waiting = deque(self.all)
        self.soft = soft
        self.complete = lane is None or lane.complete
        self.passed: list[int] = []
        """Turns of locks that were passed over and not given away yet."""
        self.used: list[Event] = []
        """The events with a key that were given back, in that order."""
        self.napped_s = 0.0
        """How long it slept since the last answer, oftener than recorded, in seconds."""
        self._turns = deque(event.seq for event in self.all)
        self._copies = 0
        self._owners = _owners(self.all)
        # A commit, a close: kinds that never carry anything.
        self._empty = {event.kind for event in self.all} - {
            event.kind
            for event in self.all
            if event.key is not None or event.value is not None or event.status != RETURNED
        }
        self._last: dict[str, Event | None] = {}

    def free_events(self, asked: tuple[str, bytes]) -> deque[Event] | None:
        """Return what is left of the answers to a call in no order."""
        found = self.free.get(asked)
        if found or self.masks is None:
            return found
        key = decode(asked[1])
        for (kind, _), events in self.free.items():
            if kind == asked[0] and events and same_key(events[0].key, key, masks=self.masks):
                return events
        return None

    def head(self, kind: str) -> Event | None:
        """Return the next event; turns that are not taken again are passed over."""
        waiting = self.waiting
        while waiting and waiting[0].kind in ORDER and kind != waiting[0].kind:
            waiting.popleft()
            self.passed.append(self._turns.popleft())
        return waiting[0] if waiting else None

    def comes(self, kind: str, asked: object, past: Sequence[str]) -> bool:
        """Return True when this call is the next one.

        Args:
            kind: of the call.
            asked: its key, decoded.
            past: kinds of events that may stand before it.
        """
        setting: Event | None = None
        for event in self.waiting:
            if event.kind == kind and same_key(event.key, asked, masks=self.masks):
                return True
            if is_setting(event):
                setting = event
            elif event.kind not in ORDER and event.kind not in past:
                if setting is None or self.owner(event) is not setting:
                    return False
        return False

    def is_handed_over(self, key: str) -> bool:
        """Return True when the next thing got from a queue is what other work had put there."""
        for event in self.waiting:
            if event.kind == HANDED_OVER:
                return bool(event.key == key)
            if event.kind not in ORDER or str(event.key).startswith(GOT):
                return False
        return False

    def pass_got(self) -> None:
        """Pass over the next time that something was got from a queue, if that comes next."""
        for place, event in enumerate(self.waiting):
            if event.kind not in ORDER:
                return
            if str(event.key).startswith(GOT):
                self.passed += self.skip(place + 1)[1]
                return

    def pass_over(self, event: Event, kind: str) -> None:
        """Leave the next event out, with what goes on with it.

        Args:
            event: the next one.
            kind: of the call that is asked instead.
        """
        waiting = self.waiting
        while waiting and (waiting[0] is event or self.owner(waiting[0]) is event):
            waiting.popleft()
            self.passed.append(self._turns.popleft())
        if waiting and kind != CALLED_BACK and ends_callbacks(waiting[0]):
            # The one of the event that is left out was taken for it.
            waiting.popleft()
            self.passed.append(self._turns.popleft())

    def ends_cancelled(self) -> bool:
        """Return True when no call is left, and the task was cancelled in the end."""
        if not self.waiting:
            return True
        last = self.waiting[0]
        return last.kind == LANE_END and last.status == CANCELLED

    def pop(self) -> tuple[Event, int]:
        """Give the next event back: returns it and its turn."""
        event = self.waiting.popleft()
        if event.key is not None:
            self._last[family(event.kind)] = event
            self.used.append(event)
        self.napped_s = 0.0
        turn = self._turns.popleft()
        self._copies -= turn == _NO_TURN
        return event, turn

    def turns(self) -> list[int]:
        """Return all turns that it may still take."""
        return list(self._turns)

    def hears_no_more(self, kind: str) -> bool:
        """Return True where a message of the server's, or a sleep's end, is waited for in vain.

        Who listens for the end of the connection asks once more, or does not, before it is called
        off; so does a task that only sleeps: that depends on the steps of the event loop.
        """
        if kind == ASYNC_SLEEP:
            return bool(self.waiting) and self.ends_cancelled()
        return kind == RECEIVED and all(event.kind != kind for event in self.waiting)

    def is_under_way(self) -> bool:
        """Return True where the next call had no answer yet when the recording was closed."""
        return not self.complete and not self.waiting

    def asks_nothing(self) -> bool:
        """Return True for a lane that asked nothing: at most it began, in its order, and ended."""
        return all(event.kind in (LANE_END, *ORDER) for event in self.all)

    def is_empty(self) -> bool:
        """Return True for a lane in which nothing was but its end: not even a clock was read."""
        return self.soft.is_empty() and not self.free and self.asks_nothing()

    def turn(self) -> int:
        """Return the turn of the next event."""
        return self._turns[0]

    def owner(self, event: Event) -> Event | None:
        """Return the call that an event without a key is part of: a fetch, a chunk, a callback."""
        return self._owners.get(id(event))

    def belongs(self, event: Event) -> bool:
        """Return False for a part of the answer to another call than the one made last."""
        owner = self.owner(event)
        if owner is None or event.kind in self._empty or event.kind == CALLED_BACK:
            return True  # part of nothing, or of what is asked next, or nothing that could be wrong
        return self._last.get(family(event.kind)) is owner

    def asked_elsewhere(self, kind: str) -> None:
        """Note that a call was answered by the live world: what goes on with it isn't here."""
        self._last[family(kind)] = None

    def group(self, event: Event) -> list[Event]:
        """Return a recorded call with all that goes on with it."""
        begun = next(place for place, one in enumerate(self.all) if one is event)
        return [one for one in self.all[begun:] if one is event or self.owner(one) is event]

    def skip(self, count: int) -> tuple[list[Event], list[int]]:
        """Leave the next events out: returns them and their turns."""
        events = [self.waiting.popleft() for _ in range(count)]
        return events, [self._turns.popleft() for _ in range(count)]

    def bring_forward(self, event: Event) -> None:
        """Make a waiting call, with what goes on with it, the next one.

        The calls before it come one place later each. What ends calls and carries nothing (a
        commit, a close) stays where it stands: the commit of several statements comes after all.
        """
        staying = self._staying()

        def call_of(one: Event) -> int:
            return 0 if id(one) in staying else id(self.owner(one) or one)

        group = [one for one in self.waiting if call_of(one) == id(event)]
        begun = next(place for place, one in enumerate(group) if one is event)
        # What it called back stands before it, and was asked for already: of another call.
        moving = [*group[begun:], *group[:begun]]
        order: list[Event] = []
        for call, parts in itertools.groupby(self.waiting, call_of):
            if call == id(event):
                order += moving
                moving = []
            elif call and moving:
                order += moving
                moving = list(parts)
            else:
                order += parts
        self.waiting = deque(order)

    def _staying(self) -> set[int]:
        """Return the ids of what does not move with a call: its empty ends, and locks."""
        staying: set[int] = set()
        carrying: set[int] = set()
        for one in reversed(self.waiting):
            owner = self.owner(one)
            if one.kind in ORDER:
                staying.add(id(one))
            elif owner is not None and one.kind in self._empty and id(owner) not in carrying:
                staying.add(id(one))
            elif owner is not None:
                carrying.add(id(owner))
        return staying

    def insert(self, events: list[Event], owner: Event) -> None:
        """Make copies of events the next ones, which take no turns."""
        for event in events:
            if event is not owner:
                self._owners[id(event)] = owner
        self.waiting.extendleft(reversed(events))
        self._turns.extendleft(_NO_TURN for _ in events)
        self._copies += len(events)

    def drop_copies(self) -> None:
        """Forget the copies that were not asked for."""
        self.keep_only(self.left())

    def has_copies(self) -> bool:
        """Return True when the next event is a copy."""
        return self._copies > 0

    def left(self) -> list[tuple[Event, int]]:
        """Return the recorded events that were not given back, with their turns."""
        pairs = zip(self.waiting, self._turns, strict=True)
        return [(event, turn) for event, turn in pairs if turn != _NO_TURN]

    def keep_only(self, kept: list[tuple[Event, int]]) -> None:
        """Replace what is waiting."""
        self.waiting = deque(event for event, _ in kept)
        self._turns = deque(turn for _, turn in kept)
        self._copies = 0

    @property
    def position(self) -> int:
        """How many events of the lane were given back or passed over."""
        return len(self.all) - len(self.waiting) + self._copies

    def ahead(self) -> tuple[int, Event | None]:
        """Return where the lane stands: the place of the next event, and that event."""
        return self.position, self.waiting[0] if self.waiting else None

    def neighbours(self, position: int) -> list[Event]:
        """Return the events round a position."""
        return self.all[max(0, position - _AROUND) : position + _AROUND + 1]


def family(kind: str) -> str:
    """Return what the kinds of one boundary have in common."""
    return kind.partition(".")[0]


def ends_callbacks(event: Event) -> bool:
    """Return True for the event which says that SQLite calls back no more for a statement."""
    return event.kind == CALLED_BACK and event.value is None


def _owners(events: list[Event]) -> dict[int, Event]:
    """Return id of an event without a key -> the call that it is part of.

    That is the call before it of the same boundary; for what a statement called back, which
    stands before the statement, the one after it.
    """
    owners: dict[int, Event] = {}
    last: dict[str, Event] = {}
    called_back: list[Event] = []
    ended = False
    for event in events:
        home = family(event.kind)
        if event.kind == CALLED_BACK:
            called_back.append(event)
            ended = ended or ends_callbacks(event)
            continue
        if event.key is not None:
            last[home] = event
        elif home in last and not event.kind.startswith(_OWN_STREAM):
            owners[id(event)] = last[home]
        if ended and home == family(CALLED_BACK):
            owners.update((id(one), last[home]) for one in called_back if home in last)
            called_back.clear()
            ended = False
    return owners
