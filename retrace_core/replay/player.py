"""Player: gives recorded events back, lane by lane, in recorded order."""

from __future__ import annotations

import asyncio
import copy
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from retrace_core import native
from retrace_core.codec import unpack_exception
from retrace_core.concurrency.ordering import TURN
from retrace_core.concurrency.serving_thread import thread_of
from retrace_core.exempt import read_site
from retrace_core.installer import allowed_errors
from retrace_core.lanes import Lane
from retrace_core.live_call import AskLive
from retrace_core.native import INFRA, LANE, REPLAY, SOFT_KINDS, ScopeState
from retrace_core.recording import ASYNC_SLEEP, CANCELLED, LANE_END, LASTING, RAISED, Event
from retrace_core.replay.cold_reads import ColdReads
from retrace_core.replay.cursor import LaneCursor
from retrace_core.replay.divergence import DivergedError, Divergence
from retrace_core.replay.findings import Findings
from retrace_core.replay.live_kinds import is_among
from retrace_core.replay.loop_clock import as_read
from retrace_core.replay.masks import masks_of
from retrace_core.replay.matching import matching
from retrace_core.replay.polling import SLEEP, Polling
from retrace_core.replay.postponed import Postponed
from retrace_core.replay.replayed_response import ReplayedResponse
from retrace_core.replay.scratch_names import as_recorded
from retrace_core.replay.soft import soft_answers
from retrace_core.replay.steps import steps_of
from retrace_core.replay.turns import passing, turns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextvars import Token
    from types import CodeType

    from retrace_core.recording import Recording
    from retrace_core.replay.matching import Matching, Mode
    from retrace_core.replay.serving_threads import ServingThreads

__all__ = ["Player"]

T = TypeVar("T")

_STALLED = "it waits for what another request of its process had given it, in memory, say"


class Player(ReplayedResponse, ColdReads):
    """The scope of a replay: its lanes ask it, and it answers from the recording.

    Args:
        recording: what to give back.
        patience_s: how long a lane may wait for its turn without any progress, in seconds.
        mode: what is done with a call that is not the next recorded one.
        passes_over: True lets the code leave out recorded calls in strict mode too: where it
            asks for a later one of its lane, those before it are passed over.
        live: kinds of calls that may be made live when they have no recorded answer: whole
            ("httpx.request") or of one boundary ("httpx").
        threads: those of the replay.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        patience_s: float,
        mode: Mode = "strict",
        passes_over: bool = False,
        live: Sequence[str] = (),
        threads: ServingThreads,
    ) -> None:
        ReplayedResponse.__init__(self)
        ColdReads.__init__(self, recording)
        header = recording.header
        self.state = ScopeState()
        self.steps = None
        self.span_id = header.span_id
        self.outgoing_headers = tuple((name, value) for name, value in header.outgoing_headers)
        self.folder = header.folder or header.trace_id
        self.infrastructure = Lane(self, "infrastructure", INFRA)
        self.served = 0
        self._cursors: dict[str, LaneCursor] = {}
        self.findings = Findings(self._cursors, mode=mode, passes_over=passes_over)
        """What was not as recorded."""
        self._live = tuple(live)
        self.patience_s = patience_s
        self.threads = threads
        self._lock = threading.Lock()
        self.masks = masks_of(recording)  # how what is asked is compared
        self.is_masked = bool(self.masks)  # or its process's start-up is
        for lane in recording.lanes:
            self._cursors[lane.id] = LaneCursor(lane, soft_answers(header, lane), masks=self.masks)
        self._turns = turns_of(
            self._cursors,
            steps=steps_of(recording),
            patience_s=patience_s,
            stuck=self.findings.notes.append,
            broken=self._raise_divergence,
        )
        self._matching: Matching = matching(mode, self._cursors, passes_over=passes_over)
        self.root = Lane(self, "0", REPLAY)
        self.lanes = [self.root]
        self.boot = None
        self.inside = False
        """True once the application's own middleware has been reached."""
        self._open: set[Lane] = set()
        self._polling = Polling(self._cursors, patience_s)
        self._postponed = Postponed(self._raise_divergence)
        self._on_divergence: Callable[[Divergence], None] | None = None
        self._watcher: Callable[[], object] | None = None

    # -- lanes

    def spawn(self, parent: Lane, lane_id: str = "") -> Lane:
        """Return a new child lane of `parent`."""
        lane = Lane(self, lane_id or parent.next_child_id(), REPLAY)
        self.lanes.append(lane)
        self._open.add(lane)
        self._turns.started(parent, lane)
        return lane

    def expect(self, parent: Lane, lane_id: str) -> Lane | None:
        """Return the lane for the work on an item of a queue; None where none was recorded."""
        if lane_id in self._cursors and self._cursors[lane_id].is_empty():
            self.lanes.append(lane := Lane(self, lane_id, REPLAY))
            return lane  # nobody waits for it: whoever takes the item may never come to that
        return self.spawn(parent, lane_id) if lane_id in self._cursors else None

    def running(self) -> bool:
        """Return True while a spawned lane runs whose end was recorded."""
        open_ones = map(self._cursor, list(self._open))  # what waits to be cancelled, goes on
        return any(one.complete and not one.ends_cancelled() for one in open_ones)

    # -- what the middleware tells its scope

    def enter(self) -> Token[native.Lane | None]:
        """Make the root lane the current one; returns what `exit` needs."""
        return LANE.set(self.root)

    def exit(self, token: Token[native.Lane | None]) -> None:
        """Leave the current context as it was before `enter`."""
        LANE.reset(token)

    def when_diverging(self, call: Callable[[Divergence], None]) -> None:
        """Have `call` called, on the thread that leaves the recording, before it is left."""
        self._on_divergence = call

    def lane_ending(self, lane: Lane) -> None:
        """Wait, on the lane's thread, until it was its turn to end."""
        event = self._head(lane, LANE_END)
        if event is not None and event.kind == LANE_END:
            self._turns.come(lane, self._cursor(lane).turn())

    def lane_ended(self, lane: Lane) -> None:
        """Take note that a spawned thread or task has ended."""
        cursor = self._cursor(lane)
        self._open.discard(lane)
        left = cursor.left()
        cursor.keep_only([(event, turn) for event, turn in left if event.kind != LANE_END])
        self._turns.ended(lane, [turn for _, turn in left])

    def finish(self) -> None:
        """End the replay: lanes that are still about become harmless."""
        for lane in self.lanes:
            lane.mode = native.OFF
        self._turns.release()

    @property
    def divergence(self) -> Divergence | None:
        """The first point where the code asked something else than was recorded."""
        return self.findings.divergence

    def soft(self, lane: Lane, kind: int, code: CodeType | None, args: tuple[Any, ...]) -> object:
        """Return the recorded answer of a clock or entropy read."""
        if SOFT_KINDS[kind] == SLEEP:
            self._stay(lane, SLEEP)
            if self._polling.naps(self._cursor(lane), self._head(lane, SLEEP), args[0]):
                return None
            return self.answer(lane, SLEEP, args[0])
        native.exempt(1)
        try:
            with self._lock:
                self.served += 1
                found = self._cursor(lane).soft.answer(SOFT_KINDS[kind], read_site(code), args)
            return as_read(code, found)
        finally:
            native.exempt(-1)

    def free_answer(self, lane: Lane, kind: str, key: object) -> tuple[bool, object]:
        """Return whether a call in no order was recorded, and its outcome."""
        self._raise_divergence()
        with self._lock:
            events = self._cursor(lane).free_events((kind, native.encode(as_recorded(key))))
            if not events:
                return False, None
            lasts = len(events) == 1 and kind.startswith(LASTING)
            event = events[0] if lasts else events.popleft()
            self.served += 1
        return True, self._outcome(event)

    def failure_comes(self, lane: Lane, kind: str, key: object = None) -> bool:
        """Return True when the next recorded event of `lane` is a failed `kind`, of any key."""
        return (e := self._head(lane, kind)) is not None and e.kind == kind and e.status != 0

    def comes(self, lane: Lane, kind: str, key: object, past: Sequence[str] = ()) -> bool:
        """Return True when this call is the next recorded one of `lane`, save for `past`."""
        return self._cursor(lane).comes(kind, as_recorded(key), past)

    def is_handed_over(self, lane: Lane, key: str) -> bool:
        """Return True when `lane` gets next what other work of the process had handed over."""
        return self._cursor(lane).is_handed_over(key)

    def got(self, lane: Lane) -> None:
        """Take note that `lane` has got what was not recorded by its value."""
        self._cursor(lane).pass_got()
        self._give_away(lane, self._cursor(lane))

    def answers_itself(self, lane: Lane, kind: str) -> None:
        """Take note of a call that was not recorded, answered by a database in memory."""
        self.findings.computed[lane.id, kind] += 1

    def comes_next(self, lane: Lane, kind: str) -> bool:
        """Return True when the next recorded event of `lane` is of that kind."""
        return (event := self._head(lane, kind)) is not None and event.kind == kind

    def cancelled(self, lane: Lane, kind: str) -> None:
        """Take note that what was recorded as cancelled has been cancelled again."""
        event = self._head(lane, kind)
        if event is not None and event.kind == kind and event.status == CANCELLED:
            self._turns.done(lane, self._cursor(lane).pop()[1])

    def in_turn(
        self, lane: Lane, key: str, live: Callable[[], T], again: Callable[[float], T]
    ) -> T:
        """Take a lock, or an item of a queue, in its recorded turn."""
        self._raise_divergence()
        event = self._head(lane, TURN)
        if event is None or (event.kind, event.key) != (TURN, key) or self._is_too_early(lane):
            with passing(lane):
                return live()
        event, turn = self._cursor(lane).pop()
        self._turns.come(lane, turn)
        try:
            if event.value is False or event.status == RAISED:
                return cast("T", self._outcome(event))
            with passing(lane):
                return again(self.patience_s)
        finally:
            self._turns.done(lane, turn)

    def on_its_thread(self, lane: Lane, work: Callable[[], T]) -> T:
        """Do all of a lane's work on a thread that keeps what its own had kept."""
        known = thread_of(self._cursor(lane).all)
        if known is not None and self.comes_next(lane, TURN):  # or a later one has it first
            self._turns.come(lane, self._cursor(lane).turn())
        return self.threads.do(known, work)

    def answer(self, lane: Lane, kind: str, key: object) -> object:
        """Return or raise the recorded outcome of a call, in its turn."""
        self._stay(lane, kind)
        event, turn = self._take(lane, kind, key)
        self._turns.come(lane, turn)
        self._turns.done(lane, turn)
        if event.status == CANCELLED:
            raise asyncio.CancelledError
        return self._outcome(event)

    async def answer_async(self, lane: Lane, kind: str, key: object) -> object:
        """Do what `answer` does, without blocking the event loop."""
        if lane is not self.root and self._cursor(lane).is_under_way():
            await self._postponed.stay(lambda: self.over, self.patience_s)
        if self._cursor(lane).hears_no_more(kind):
            await self._until_cancelled(lane, kind, key)
        event, turn = self._take(lane, kind, key)
        self._turns.arrive(lane)
        try:
            if event.status == CANCELLED:
                await self._until_cancelled(lane, kind, key)
            if event.kind == ASYNC_SLEEP:
                await asyncio.sleep(0)
            await self._wait(lane, turn)
        finally:
            self._turns.done(lane, turn)
        return self._outcome(event)

    async def _wait(self, lane: Lane, turn: int) -> None:
        await self._postponed.wait(lane, lambda: self._turns.wait_async(lane, turn))
        if lane in self._postponed and self._cursor(lane).ends_cancelled():
            self._postponed.cancel(lane)

    def waits(self) -> bool:
        """Return True while a lane waits for its turn: that ends by itself."""
        return self._turns.waits()

    def stalled(self) -> None:
        """End the replay because the code waits for what no recorded answer brings."""
        if self.findings.divergence is None:
            self.diverge(self.root, "wait", None, _STALLED)

    def diverge(self, lane: Lane, kind: str, key: object, reason: str = "") -> DivergedError:
        """Return the exception to raise; the first divergence of all is kept."""
        divergence = self.findings.divergence_at(lane.id, self._cursor(lane), kind, key, reason)
        with self._lock:
            first = self.findings.divergence is None
            if first:
                self.findings.divergence = divergence
        self._turns.release()
        if first and self._on_divergence is not None:
            self._on_divergence(divergence)  # a debugger: however long it takes
        elif first and self._watcher is not None:
            self._watcher()
        return DivergedError(divergence)

    @contextmanager
    def watched(self, watcher: Callable[[], object]) -> Iterator[None]:
        """Have a function called at the first divergence within the block, in its thread."""
        self._watcher = watcher
        try:
            yield
        finally:
            self._watcher = None

    def _stay(self, lane: Lane, kind: str) -> None:
        if lane is not self.root and asyncio._get_running_loop() is None:
            self._head(lane, kind)
            if self._cursor(lane).is_under_way():
                self._postponed.stay_in_thread(lambda: self.over, self.patience_s)

    def _take(self, lane: Lane, kind: str, key: object) -> tuple[Event, int]:
        self._raise_divergence()
        cursor = self._cursor(lane)
        asked = as_recorded(key)
        self._polling.pass_over(lambda: self._head(lane, kind), cursor, kind)
        ahead = cursor.ahead()
        found = self._matching.find(cursor, kind, asked)
        self._give_away(lane, cursor)
        if found is None and is_among(self._live, kind):
            cursor.asked_elsewhere(kind)
            self.findings.deviates("live", lane.id, kind, asked, None)
            raise AskLive
        found = found or self._matching.nearest(cursor, kind, asked)
        if found is None:
            raise self.diverge(lane, kind, asked)
        if found.passed:
            self.findings.passed_over(lane.id, kind, asked, found.passed, ahead)
            self._turns.ended(lane, found.turns)
        if found.how != "exact":
            self.findings.deviates(found.how, lane.id, kind, asked, cursor.waiting[0])
        with self._lock:
            self.served += 1
            self.findings.reordered += found.reordered
        return cursor.pop()

    def _head(self, lane: Lane, kind: str) -> Event | None:
        cursor = self._cursor(lane)
        event = cursor.head(kind)
        self._give_away(lane, cursor)
        return event

    def _give_away(self, lane: Lane, cursor: LaneCursor) -> None:
        """Let the turns pass that the lane leaves out."""
        while cursor.passed:
            self._turns.done(lane, cursor.passed.pop())

    def _is_too_early(self, lane: Lane) -> bool:
        """Return True when nobody runs who could bring the lane's next turn about."""
        alone = lane is self.root and not self._open
        return alone and not self._turns.is_next(self._cursor(lane).turn())

    def _outcome(self, event: Event) -> object:
        if event.status == RAISED:
            raise unpack_exception(event.value, allowed_errors())
        value = event.value if self.masks is None else self.masks.told(event.value)
        if isinstance(value, (list, dict)):
            return copy.deepcopy(value)  # what the code changes is not the recording
        return value

    async def _until_cancelled(self, lane: Lane, kind: str, key: object) -> None:
        self._postponed.cancel(lane)
        if not await self._postponed.come(lambda: self.over, self.patience_s):
            raise self.diverge(
                lane, kind, key, "nothing came: it was cancelled when recorded, and now it was not"
            )

    def _raise_divergence(self) -> None:
        if self.findings.divergence is not None:
            raise DivergedError(self.findings.divergence)

    def _cursor(self, lane: Lane) -> LaneCursor:
        cursor = self._cursors.get(lane.id)
        if cursor is None:
            cursor = self._cursors.setdefault(
                lane.id, LaneCursor(None, soft_answers(self._recording.header))
            )
        return cursor
