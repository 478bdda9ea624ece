"""Chapter player: answers what is asked while one thing is done for the process.

Within its chapter a call is found by what it asks, and by what was asked just before; in no
other order: which thread starts what, and when, differs between a server and a replay. A statement
that is not found is looked for with its words in another order: a migration writes a table's
constraints down as a set has them, which is by their addresses.

What the start-up began in the background gets as far as it had got when the request came, and
waits there (`Progress`).
"""

from __future__ import annotations

import asyncio
import copy
import functools
import time
from typing import TYPE_CHECKING, Any, TypeVar

from retrace_core import native
from retrace_core.boot.tape import BOOT
from retrace_core.codec import unpack_exception
from retrace_core.errors import NotOnTape
from retrace_core.exempt import read_site
from retrace_core.installer import allowed_errors
from retrace_core.lanes import Lane
from retrace_core.native import INFRA, REPLAY, SOFT_KINDS
from retrace_core.recording import ASYNC_SLEEP, CANCELLED, RAISED, Event
from retrace_core.replay.chapter import SLEEP, TIMER, Asked, Chapter, Place
from retrace_core.replay.divergence import same_key
from retrace_core.replay.loop_clock import as_read
from retrace_core.replay.loop_waits import LoopWaits
from retrace_core.replay.placed_answers import PlacedAnswers
from retrace_core.replay.progress import NEVER
from retrace_core.replay.scratch_names import as_recorded
from retrace_core.replay.whereabouts import Whereabouts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType

    from retrace_core.replay.tape import Tape

__all__ = ["ChapterPlayer"]

T = TypeVar("T")
_SLEEP_S = 0.05
"""How long a sleep of the boot takes on replay, at most, in seconds."""

_PID = "os.getpid"
"""The tape is of several processes, of which each connects by itself: a pool that finds another
number takes its connection for that of a process that forked."""

_ROUNDS = 20
"""So many calls in a row that had their answers before: who makes them polls, round and round."""


class ChapterPlayer:
    """The owner of the lanes in which a chapter is played."""

    def __init__(self, boot: Tape, chapter: Chapter | None) -> None:
        self._boot = boot
        self._chapter = chapter
        self.label = chapter.note.label if chapter is not None else "?"
        of_boot = self.label == BOOT
        self._used = boot.progress.used if of_boot else set[tuple[str, int]]()
        self._whereabouts = boot.progress.whereabouts if of_boot else Whereabouts()
        self._rounds: dict[Lane, int] = {}
        self.foreground = boot.progress.foreground
        self._waits = LoopWaits(chapter, boot.progress)
        self._naps: dict[float | Lane, int] = {}
        self._soft = PlacedAnswers(
            [read for read in (chapter.soft if chapter else ()) if of_boot or read[2].kind != _PID],
            started_ns=chapter.note.started_ns if chapter is not None else boot.started_ns,
            seed=self.label,
            pid=boot.pid,
        )
        self.state = boot.state
        self.masks = boot.masks if chapter is not None and chapter.has_digests else None
        self.is_masked = bool(boot.masks)
        """True where the tape has secrets that are masked."""
        self.steps = None
        self.outgoing_headers = boot.outgoing_headers
        self.span_id = ""
        self.inside = True
        self.root = Lane(self, "0", REPLAY)
        self.lanes = [self.root]
        self.infrastructure = Lane(self, "infrastructure", INFRA)

    def spawn(self, parent: Lane, lane_id: str = "") -> Lane:
        """Return a new child lane of `parent`, answered from the same chapter."""
        lane = Lane(self, lane_id or parent.next_child_id(), parent.mode)
        self.lanes.append(lane)
        self._boot.lanes.append(lane)
        self._whereabouts.begun(lane, parent)
        if self.label == BOOT:
            self._boot.progress.begun(lane)
        return lane

    def expect(self, parent: Lane, lane_id: str) -> Lane | None:
        """Return None: threads that were started here are answered from the chapter anyway."""

    def lane_ending(self, lane: Lane) -> None:
        """Do nothing: a chapter has no order."""

    def lane_ended(self, lane: Lane) -> None:
        """Do nothing, as `lane_ending`."""

    def handled(self, error: BaseException) -> None:
        """Do nothing: it is no failure of the request."""

    def soft(self, lane: Lane, kind: int, code: CodeType | None, args: tuple[Any, ...]) -> object:
        """Return the recorded answer of a clock or entropy read."""
        native.exempt(1)
        try:
            if SOFT_KINDS[kind] == SLEEP:
                self._sleep(lane, args[0])
                return None
            with self._boot.lock:
                place = self._whereabouts.of(lane, self._chapter)
                here = place[1:] if place is not None and place[0] is self._chapter else None
                answer = self._soft.answer_at(SOFT_KINDS[kind], read_site(code), args, here)
            return as_read(code, answer)
        finally:
            native.exempt(-1)

    def _sleep(self, lane: Lane, seconds: float) -> None:
        """Sleep as long as it is worth waiting for.

        A thread that does its work every hour has done it as often as was recorded; the sleep
        after that takes its time, or all that it asks then would be on no tape.
        """
        nap = self._nap(lane, seconds)
        if nap() or lane is self.root or self.label != BOOT:
            time.sleep(min(seconds, self._moment(lane)))
            self._boot.progress.served(lane)
        else:
            self._boot.progress.sleep(lane, seconds, nap)

    def pause(self, lane: Lane, seconds: float, is_over: Callable[[], bool]) -> bool:
        """Wait for something on a thread in the background, as often in vain as was recorded.

        Returns:
            False where it waits itself: it is not known how often it had.
        """
        if self._chapter is None or not self._chapter.open:
            return False
        nap, progress = self._nap(lane, seconds), self._boot.progress
        if not nap():
            progress.sleep(lane, NEVER, lambda: is_over() or nap())
        elif not is_over():
            moment_s = self._moment(lane)
            progress.sleep(lane, min(seconds, moment_s), is_over, rests=False)
        if is_over():
            with self._boot.lock:  # it was not in vain
                self._naps[seconds] -= 1
                self._naps[lane] -= 1
        return True

    def _moment(self, lane: Lane) -> float:
        """Return how long a sleep that is known to be over takes: who sleeps often does briefly."""
        return _SLEEP_S if self._naps.get(lane, 0) <= _ROUNDS else _SLEEP_S / 50

    def _nap(self, lane: Lane, seconds: float) -> Callable[[], bool]:
        """Return what says whether a sleep that begins now was over when the request came.

        One of the same length was, in whichever lane; or one of that in which it goes on.
        """
        with self._boot.lock:
            naps, naps_here = self._naps.get(seconds, 0) + 1, self._naps.get(lane, 0) + 1
            self._naps[seconds], self._naps[lane] = naps, naps_here

        def is_over() -> bool:
            chapter, limit_ns = self._chapter, self._boot.progress.limit_ns
            if chapter is None:
                return False
            if chapter.naps(NEVER, seconds=seconds):
                return naps <= chapter.naps(limit_ns, seconds=seconds)
            here = self._whereabouts.of(lane, chapter)
            return here is not None and naps_here <= chapter.naps(limit_ns, name=here[1])

        return is_over

    def free_answer(self, lane: Lane, kind: str, key: object) -> tuple[bool, object]:
        """Return whether a call in no order was recorded, and its outcome."""
        try:
            return True, self.answer(lane, kind, key)
        except NotOnTape:
            return False, None

    def diverge(self, lane: Lane, kind: str, key: object, reason: str = "") -> BaseException:
        """Return what to raise where an answer is of no use."""
        return NotOnTape(kind, f"{key!r:.200} ({reason})")

    def comes(self, lane: Lane, kind: str, key: object, past: Sequence[str] = ()) -> bool:
        """Return True: a chapter is asked in no order, and says itself what is not on it."""
        return True

    def comes_next(self, lane: Lane, kind: str) -> bool:
        """Return False: a chapter has no order in which something would come."""
        return False

    def is_handed_over(self, lane: Lane, key: str) -> bool:
        """Return False: what is started here runs, and hands over what it has itself."""
        return False

    def got(self, lane: Lane) -> None:
        """Do nothing, as `lane_ending`."""

    def cancelled(self, lane: Lane, kind: str) -> None:
        """Do nothing, as `lane_ending`."""

    def answers_itself(self, lane: Lane, kind: str) -> None:
        """Never called: `comes` is True."""

    def failure_comes(self, lane: Lane, kind: str, key: object = None) -> bool:
        """Return True when a failed `kind` of the chapter was not given back yet.

        Where it is known what is asked, only one that asked the same.
        """
        if self._chapter is None:
            return False
        key = None if key is None else as_recorded(key)
        return any(
            event.kind == kind
            and event.status == RAISED
            and (name, place) not in self._used
            and (key is None or self._is_same(event, key))
            for name, calls in self._chapter.calls.items()
            for place, event in enumerate(calls)
        )

    def _is_same(self, event: Event, key: object) -> bool:
        masks = self._boot.masks
        if not masks:
            return native.encode(event.key) == native.encode(key)
        return masks.hold(functools.partial(same_key, event.key, key, masks=masks), learns=False)

    def in_turn(
        self, lane: Lane, key: str, live: Callable[[], T], again: Callable[[float], T]
    ) -> T:
        """Take a lock, or an item of a queue, at once."""
        lane.busy += 1
        try:
            return live()
        finally:
            lane.busy -= 1

    def on_its_thread(self, lane: Lane, work: Callable[[], T]) -> T:
        """Do all of a lane's work on a thread like that of the lane that was begun there."""
        threads = self._chapter.threads if self._chapter is not None else {}
        return self._boot.threads.do(threads.get(lane.id), work)

    def answer(self, lane: Lane, kind: str, key: object) -> object:
        """Return or raise the recorded outcome of a call.

        Raises:
            NotOnTape: nobody asked this when it was recorded.
        """
        key = as_recorded(key)
        blocks = asyncio._get_running_loop() is None
        while isinstance(event := self._take(lane, kind, key, holds=blocks), int | float):
            blocks = self._boot.progress.wait(lane, event)
        if event is None:
            raise self._boot.lacks(kind, key)
        if self._polls(lane) and asyncio._get_running_loop() is None:
            self._boot.ended.wait(_SLEEP_S)
        return self._outcome(event)

    async def answer_async(self, lane: Lane, kind: str, key: object) -> object:
        """Do what `answer` does; a loop that sleeps goes round as often as it was recorded."""
        key, progress = as_recorded(key), self._boot.progress
        held = self.label == BOOT and progress.holds(lane, self.root)
        if kind == ASYNC_SLEEP:
            await self._waits.sleep(lane, held=held)
        elif kind == TIMER:
            await self._waits.timer(lane, key, held=held)
        await asyncio.sleep(_SLEEP_S if self._polls(lane) else 0)
        holds = kind not in (ASYNC_SLEEP, TIMER)
        while isinstance(event := self._take(lane, kind, key, holds=holds), int | float):
            holds = await progress.wait_async(lane, event, calls=True)
        if event is None:
            raise self._boot.lacks(kind, key)
        return self._outcome(event)

    @staticmethod
    def _outcome(event: Event) -> object:
        if event.status == CANCELLED:
            raise asyncio.CancelledError
        if event.status == RAISED:
            raise unpack_exception(event.value, allowed_errors())
        return copy.deepcopy(event.value)  # another may be told it again, and as it was

    def woken(self) -> None:
        """Take note that a task's pause, which was asked for, was none."""
        self._waits.woken()

    def _polls(self, lane: Lane) -> bool:
        """Return True for work in the background that asks the same again and again.

        What had kept it waiting while it was recorded does not on replay: it would take all of
        the processor's time.
        """
        return lane is not self.root and self._rounds.get(lane, 0) >= _ROUNDS

    def _take(self, lane: Lane, kind: str, key: object, *, holds: bool) -> Event | float | None:
        """Return the recorded call, and remember where it was; None where there is none.

        Where the lane has to wait for it, return until which time; `NEVER` for what it had not
        asked when the tape was written.
        """
        with self._boot.lock:
            place = self._find(lane, (kind, native.encode(key)), key)
            progress = self._boot.progress
            if holds and self.label == BOOT and progress.holds(lane, self.root):
                until = self._held_until(lane, place)
                if until is not None:
                    return until
            if place is None:
                return None
            self._whereabouts.reached(lane, place)
            chapter, name, number = place
            is_fresh = chapter is self._chapter and place[1:] not in self._used
            self._rounds[lane] = 0 if is_fresh else self._rounds.get(lane, 0) + 1
            if chapter is self._chapter:
                self._used.add((name, number))
            progress.served(lane)
            return chapter.calls[name][number]

    def _held_until(self, lane: Lane, place: Place | None) -> float | None:
        """Return until when work in the background waits for an answer, None where it need not."""
        mine, limit_ns = self._chapter, self._boot.progress.limit_ns
        if mine is None:
            return None
        if place is not None and place[0] is mine and place[1:] not in self._used:
            at = float(mine.answered_ns(mine.calls[place[1]][place[2]]))
            return at if at > limit_ns else None
        here = self._whereabouts.of(lane, mine)
        if here is None:  # it is one of those that had asked for nothing yet, if there are any
            return NEVER if mine.open - self._whereabouts.known(mine) else None
        chapter, name, number = here
        is_last = chapter is mine and name in mine.open
        return NEVER if is_last and not mine.has_more(name, number, limit_ns) else None

    def _find(self, lane: Lane, asked: Asked, key: object) -> Place | None:
        """Return where a call was recorded.

        It is looked for further on in the recorded lane that the last one came from. Where it
        does not say what it asks, and the lane is not known, in the next one that begins so. Where
        it does, among the calls of the chapter, those not yet made first; then in the other
        chapters; then with its words in another order; and then with other texts where some are
        masked.
        """
        place = self._further(lane, asked)
        if place is None and key is None and self._chapter is not None:
            if self._whereabouts.of(lane, self._chapter) is None:
                place = self._chapter.begins(asked, but=self._used)
        if place is None and key is not None:
            mine = self._chapter.places.get(asked, []) if self._chapter is not None else []
            place = self._fresh(mine) or self._boot.anywhere(asked)
            if place is None and self._chapter is not None:
                place = self._fresh(self._chapter.with_words_of(asked[0], key))
            if place is None and self._chapter is not None and self._boot.masks:
                place = self._alike(self._chapter, asked[0], key)
        return place

    def _alike(self, chapter: Chapter, kind: str, key: object) -> Place | None:
        """Return where the same was asked but for what is masked in it.

        Several calls may differ in nothing but pseudonyms (a table's rows, looked for by their
        digests): what the code said before decides, then the order.
        """
        masks = self._boot.masks
        place = self._fresh(list(chapter.alike(kind, key, masks)))
        return place or next(chapter.alike(kind, key, masks, but=self._used), None)

    def _fresh(self, places: list[Place]) -> Place | None:
        """Return the first of some places that is not used yet, else the last of them."""
        fresh = next((one for one in places if one[1:] not in self._used), None)
        return fresh if fresh is not None or not places else places[-1]

    def _further(self, lane: Lane, asked: Asked) -> Place | None:
        here = self._whereabouts.of(lane, self._chapter)
        if here is None:
            first = next(iter(self._chapter.calls), None) if self._chapter is not None else None
            if self._chapter is None or first is None:
                return None
            here = (self._chapter, first, -1)
        chapter, name, number = here
        return chapter.further(asked, name, number, but=self._used)
