"""Chapter: one chapter of a boot tape, and where in it what was asked."""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from retrace_core import native
from retrace_core.boot.tape import BOOT
from retrace_core.concurrency.handed_over import HANDED_OVER
from retrace_core.concurrency.ordering import ORDER
from retrace_core.concurrency.serving_thread import thread_of
from retrace_core.crypto.hashing import KIND as DIGEST
from retrace_core.recording import ASYNC_SLEEP, LANE_END, Event, SoftEvent
from retrace_core.replay.divergence import same_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from retrace_core.boot.recording import ChapterNote
    from retrace_core.recording import LaneEvents
    from retrace_core.replay.masks import Masks
    from retrace_core.replay.placed_answers import PlacedRead

__all__ = ["SLEEP", "TIMER", "Asked", "Chapter", "Place"]

SLEEP = "time.sleep"
TIMER = "asyncio.timer"
_NO_CALLS = (*ORDER, LANE_END, HANDED_OVER)
_WORDS = re.compile(r"\w+")
_DEFINES = re.compile(r"\s*(CREATE|ALTER|DROP|COMMENT)\s", re.IGNORECASE)
Asked = tuple[str, bytes]
"""Kind and encoded key of a call."""
Place = tuple["Chapter", str, int]
"""A chapter, one of its recorded lanes, and a place in it."""


class Chapter:
    """One chapter of the tape: the calls of each lane in order, and where each was asked."""

    def __init__(self, note: ChapterNote, lanes: Iterable[LaneEvents]) -> None:
        self.note = note
        self.soft: list[PlacedRead] = []
        self.calls: dict[str, list[Event]] = {}
        self.places: dict[Asked, list[Place]] = {}
        self._numbers: dict[tuple[Asked, str], list[int]] = {}
        """At which places of a lane something was asked, in order."""
        self.has_digests = note.label == BOOT
        self.open: set[str] = set()
        """The lanes that had not ended when what is here was written."""
        self.threads: dict[str, tuple[int, str]] = {}
        """By which thread the work of a lane was done, where it was one of a thread's."""
        self.add(lanes)

    def add(self, lanes: Iterable[LaneEvents]) -> None:
        """Add the lanes of a file, which may go on with those that are here already."""
        for lane in lanes:
            name = lane.id.partition("/")[2] or lane.id
            (self.open.discard if lane.complete else self.open.add)(name)
            calls = self.calls.setdefault(name, [])
            thread = thread_of(one for one in lane.events if isinstance(one, Event))
            if thread is not None:
                self.threads[name] = thread
            for event in lane.events:
                if isinstance(event, SoftEvent):
                    self.soft.append((name, len(calls), event))
                elif event.kind not in _NO_CALLS:
                    asked = (event.kind, native.encode(event.key))
                    self.places.setdefault(asked, []).append((self, name, len(calls)))
                    self._numbers.setdefault((asked, name), []).append(len(calls))
                    calls.append(event)
                    self.has_digests = self.has_digests or event.kind == DIGEST

    def further(
        self, asked: Asked, name: str, number: int, *, but: set[tuple[str, int]]
    ) -> Place | None:
        """Return where a call comes next in a lane, behind a place of it.

        A start-up may ask tens of thousands of times for what does not say what it is: this does
        not go through those before.

        Args:
            asked: the call.
            name: of the lane.
            number: of the place.
            but: places that are used.
        """
        numbers = self._numbers.get((asked, name), [])
        for at in range(bisect_right(numbers, number), len(numbers)):
            if (name, numbers[at]) not in but:
                return self, name, numbers[at]
        return None

    def begins(self, asked: Asked, *, but: set[tuple[str, int]]) -> Place | None:
        """Return the beginning of the first lane that begins with a call, none of whose is used.

        Args:
            asked: the call.
            but: lanes and places that are used.
        """
        gone_into = {name for name, _ in but}
        return next(
            (
                place
                for place in self.places.get(asked, ())
                if place[2] == 0 and place[1] not in gone_into
            ),
            None,
        )

    def with_words_of(self, kind: str, key: object) -> list[Place]:
        """Return where a statement of the same words was asked, in whatever order they are."""
        words = _words(key)
        if not words:
            return []
        return [
            (self, lane, number)
            for lane, calls in self.calls.items()
            for number, event in enumerate(calls)
            if event.kind == kind and _words(event.key) == words
        ]

    def alike(
        self, kind: str, key: object, masks: Masks, *, but: set[tuple[str, int]] | None = None
    ) -> Iterator[Place]:
        """Yield where the same was asked but for what is masked in it: a text in the code, say.

        Args:
            kind, key: of the call.
            masks: of the tape.
            but: None where only what the code said before for a pseudonym counts. Else the
                code says from now on what it says here: go no further than the place taken;
                these are not to be taken.
        """
        learns = but is not None
        for lane, calls in self.calls.items():
            for number, event in enumerate(calls):
                if event.kind != kind or (but is not None and (lane, number) in but):
                    continue
                if masks.hold(
                    functools.partial(same_key, event.key, key, masks=masks), learns=learns
                ):
                    yield self, lane, number

    def count(self, kind: str, until_ns: float, *, key: object = None) -> int:
        """Return how many calls of a kind, and of a key if one is given, had an answer by then."""
        return sum(
            event.kind == kind
            and (key is None or event.key == key)
            and self.answered_ns(event) <= until_ns
            for calls in self.calls.values()
            for event in calls
        )

    def naps(self, until_ns: float, *, seconds: float | None = None, name: str = "") -> int:
        """Return how many sleeps of threads in the background were over at some time.

        Args:
            until_ns: that time, Unix time in nanoseconds.
            seconds: only those of this length; None for any.
            name: only those of this lane; "" for all of them but the first.
        """
        lanes = [self.calls.get(name, ())] if name else self._background()
        return sum(
            event.kind == SLEEP
            and seconds in (None, event.key)
            and self.answered_ns(event) <= until_ns
            for calls in lanes
            for event in calls
        )

    def _background(self) -> list[list[Event]]:
        return [calls for name, calls in self.calls.items() if name != "0"]

    def answered_ns(self, event: Event) -> int:
        """Return when a call of it had its answer, Unix time in nanoseconds."""
        return self.note.started_ns + event.end_us * 1000

    def has_more(self, name: str, number: int, until_ns: float) -> bool:
        """Return True where a lane asked for more than what stands at some place, until a time."""
        return any(
            event.kind not in (SLEEP, ASYNC_SLEEP, TIMER) and self.answered_ns(event) <= until_ns
            for event in self.calls[name][number + 1 :]
        )


def _words(key: object) -> list[str]:
    """Return the words of a statement that defines, and its parameters; of others nothing."""
    first = key[0] if isinstance(key, list | tuple) and key else key
    if isinstance(first, bytes):
        first = first.decode("utf-8", "replace")
    if not isinstance(first, str) or _DEFINES.match(first) is None:
        return []
    rest = key[1:] if isinstance(key, list | tuple) else ()
    return [*sorted(_WORDS.findall(first)), repr(rest)]
