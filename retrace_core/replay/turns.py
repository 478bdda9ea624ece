"""Turns: lets recorded completions happen again in the order in which they were recorded.

Lanes alone give each thread and task its own answers, but not the order between them: what
is assembled as results complete (`as_completed`, queues, locks) would come out differently.
So each completion has a number, and a lane waits until all lower numbers are done.

Between two turns a thread runs on to its next crossing before the next turn is given away
(for a short while at most): the code that follows an answer then runs in the same order too.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from contextvars import Context
from typing import TYPE_CHECKING

from retrace_core.concurrency.ordering import TURN
from retrace_core.replay.steps import others_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from retrace_core.lanes import Lane
    from retrace_core.replay.cursor import LaneCursor
    from retrace_core.replay.steps import Steps

__all__ = ["Turns", "passing", "turns_of"]

_RUN_ON_S = 0.02
"""How long a thread may run on after its turn before the next one is given away."""

_MOST_STEPS = 100
"""How many steps of the loop tasks may take until they wait for answers that come together."""

_PASS_S = 0.2
"""How long a lock is waited for that was taken when recorded, and may not be taken again."""


def turns_of(
    cursors: Mapping[str, LaneCursor],
    *,
    steps: Steps,
    patience_s: float,
    stuck: Callable[[str], None],
    broken: Callable[[], None],
) -> Turns:
    """Return the order of the completions of all lanes, as `Turns` takes it."""
    return Turns(
        ((event.seq, lane) for lane, cursor in cursors.items() for event in cursor.all),
        steps=steps,
        patience_s=patience_s,
        stuck=stuck,
        broken=broken,
        passable=(
            event.seq for cursor in cursors.values() for event in cursor.all if event.kind == TURN
        ),
        idle={name: one.turns() for name, one in cursors.items() if one.asks_nothing()},
    )


class Turns:
    """The order of completions of one replay.

    Args:
        events: (number, lane id) of every recorded completion.
        steps: how they lay in the steps of their event loops.
        patience_s: how long to wait for a turn without any progress before the recorded
            order is given up, in seconds.
        stuck: called once, with words, when that happens.
        broken: raises when the replay has diverged, so that nobody waits for what won't come.
        passable: numbers that may not come again, and are waited for a short while only.
        idle: lanes that asked nothing, with their numbers: such a lane may not begin again (a task
            that tells a waiter, where nobody waits yet); once begun it is waited for.
    """

    def __init__(
        self,
        events: Iterable[tuple[int, str]],
        *,
        steps: Steps,
        patience_s: float,
        stuck: Callable[[str], None],
        broken: Callable[[], None],
        passable: Iterable[int] = (),
        idle: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        order = sorted(events)
        self._order = [seq for seq, _ in order]
        self._owner = dict(order)
        self._next = 0
        self._idle = dict(idle or {})
        self._passable = set(passable).union(*self._idle.values())
        self._done: set[int] = set()
        self._changed = threading.Condition()
        self._sleepers: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = {}
        self._threads: dict[str, int] = {}
        self._running: str | None = None
        self._patience_s = patience_s
        self._stuck = stuck
        self._broken = broken
        self._single = len(set(self._owner.values())) < 2
        self._given_up = False
        self._steps = steps
        self._held = {seq for seq, _ in steps.after.values()}
        """Completions that come some steps of the loop after another, which are not over yet."""

    def arrive(self, lane: Lane) -> None:
        """Say that `lane` asks for its next answer (and so has run on far enough)."""
        if self._single:
            return
        with self._changed:
            self._threads[lane.id] = threading.get_ident()
            self._stop_running(lane.id)

    def started(self, parent: Lane, child: Lane) -> None:
        """Say that `parent` has spawned a lane: on a thread, it runs on to where it waits."""
        if self._single:
            return
        with self._changed:
            self._passable.difference_update(self._idle.pop(child.id, ()))
            if asyncio._get_running_loop() is None:
                self._running = parent.id

    def ended(self, lane: Lane, unused: Iterable[int]) -> None:
        """Say that `lane` has ended, and which of its numbers will never come."""
        with self._changed:
            self._stop_running(lane.id)
            self._done.update(unused)
            self._advance()

    def come(self, lane: Lane, seq: int) -> None:
        """Arrive, and block this thread until it is the turn of `seq`."""
        self.arrive(lane)
        self.wait(lane, seq)

    def wait(self, lane: Lane, seq: int) -> None:
        """Block this thread until it is the turn of `seq`."""
        if self._single:
            return
        loop = asyncio._get_running_loop()
        with self._changed:
            self._held.discard(seq)
            progress, since = self._next, time.monotonic()
            while not self._may_go(lane.id, seq):
                self._broken()
                if loop is not None and self._is_hopeless(since):
                    return
                self._changed.wait(_RUN_ON_S if self._is_turn(seq) else 0.25)
                self._pass_over(since)
                if self._is_turn(seq) and time.monotonic() - since > _RUN_ON_S:
                    self._running = None
                if self._next != progress:
                    progress, since = self._next, time.monotonic()
                elif time.monotonic() - since > self._patience_s:
                    self._give_up(seq)

    async def wait_async(self, lane: Lane, seq: int) -> None:
        """Suspend this task until it is the turn of `seq`, in its step of the loop."""
        if not self._single:
            await self._turn(lane, seq)
        if seq not in self._steps.known:
            await others_run()
        if seq in self._steps.together and not self._single:
            await self._gather(self._steps.together[seq])

    async def _turn(self, lane: Lane, seq: int) -> None:
        loop = asyncio.get_running_loop()
        progress, since = self._next, time.monotonic()
        while True:
            with self._changed:
                self._broken()
                if self._may_go(lane.id, seq):
                    return
                future: asyncio.Future[None] = loop.create_future()
                self._sleepers[seq] = (loop, future)
                pause_s = _RUN_ON_S if self._is_turn(seq) else 0.25
            alarm = loop.call_later(pause_s, _wake, future)
            try:
                await future
            finally:
                alarm.cancel()
                self._sleepers.pop(seq, None)
            with self._changed:
                self._pass_over(since)
                if self._is_turn(seq) and time.monotonic() - since > _RUN_ON_S:
                    self._running = None
                    self._held.discard(seq)
                if self._next != progress:
                    progress, since = self._next, time.monotonic()
                elif time.monotonic() - since > self._patience_s:
                    self._give_up(seq)

    async def _gather(self, others: list[int]) -> None:
        """Wake others, to go on in this very step, once they wait for their answers."""
        loop = asyncio.get_running_loop()
        here: list[asyncio.Future[None]] = []
        for _ in range(_MOST_STEPS):
            with self._changed:
                here = [
                    sleeper[1]
                    for seq in others
                    if (sleeper := self._sleepers.get(seq)) is not None and sleeper[0] is loop
                ]
            if len(here) == len(others):
                break
            await asyncio.sleep(0)
        for future in here:
            _wake(future)

    def _step(self, loop: asyncio.AbstractEventLoop, seq: int, steps: int) -> None:
        """Let a completion come some steps of the loop later."""
        if steps > 1:
            loop.call_soon(self._step, loop, seq, steps - 1, context=Context())
            return
        with self._changed:
            self._held.discard(seq)
            sleeper = self._sleepers.get(seq)
        if sleeper is not None and sleeper[0] is loop:
            _wake(sleeper[1])
        else:
            with self._changed:
                self._notify_next()

    def done(self, lane: Lane, seq: int) -> None:
        """Say that completion `seq` of `lane` has happened; gives the next turn away."""
        if self._single:
            return
        with self._changed:
            self._done.add(seq)
            # A task runs on by itself until it suspends; only a thread must be waited for.
            loop = asyncio._get_running_loop()
            self._running = lane.id if loop is None else None
            self._advance()
        later = self._steps.after.get(seq)
        if later is not None and loop is not None:
            loop.call_soon(self._step, loop, *later, context=Context())

    def is_next(self, seq: int) -> bool:
        """Return True when it is the turn of `seq`."""
        with self._changed:
            return self._single or self._is_turn(seq)

    def waits(self) -> bool:
        """Return True while a task waits for its turn."""
        with self._changed:
            return bool(self._sleepers) and not self._given_up

    def release(self) -> None:
        """Wake everybody, because the replay has diverged or is over."""
        with self._changed:
            self._given_up = True
            self._wake_sleepers(list(self._sleepers))
            self._changed.notify_all()

    def _may_go(self, lane_id: str, seq: int) -> bool:
        if self._given_up or seq in self._done:
            return True
        return self._is_turn(seq) and self._running in (None, lane_id) and seq not in self._held

    def _is_turn(self, seq: int) -> bool:
        return self._next >= len(self._order) or seq <= self._order[self._next]

    def _is_hopeless(self, since: float) -> bool:
        """Return True when whoever is next needs the very thread that would wait for it."""
        if self._next >= len(self._order):
            return True
        if self._threads.get(self._owner[self._order[self._next]]) == threading.get_ident():
            return True
        return time.monotonic() - since > min(self._patience_s, 2.0)

    def _pass_over(self, since: float) -> None:
        """Give up waiting for a lock that is not taken again."""
        while (
            self._next < len(self._order)
            and self._order[self._next] in self._passable
            and time.monotonic() - since > _PASS_S
        ):
            self._done.add(self._order[self._next])
            self._advance()

    def _stop_running(self, lane_id: str) -> None:
        if self._running == lane_id:
            self._running = None
            self._notify_next()

    def _advance(self) -> None:
        while self._next < len(self._order) and self._order[self._next] in self._done:
            self._next += 1
        self._notify_next()

    def _notify_next(self) -> None:
        if self._next < len(self._order):
            self._wake_sleepers([self._order[self._next]])
        self._changed.notify_all()

    def _wake_sleepers(self, numbers: list[int]) -> None:
        for seq in numbers:
            sleeper = self._sleepers.get(seq)
            if seq in self._held and not self._given_up:
                continue  # its step of the loop is yet to come
            if sleeper is not None and not sleeper[0].is_closed():
                sleeper[0].call_soon_threadsafe(_wake, sleeper[1])

    def _give_up(self, seq: int) -> None:
        if not self._given_up:
            waited = self._order[self._next] if self._next < len(self._order) else 0
            owner = self._owner.get(waited, "?")
            self._stuck(
                f"completion {seq} waited {self._patience_s:g} s for completion {waited} of lane"
                f" {owner}, which did not come: the recorded order was given up there"
            )
            self._given_up = True
            self._wake_sleepers(list(self._sleepers))
            self._changed.notify_all()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


@contextmanager
def passing(lane: Lane) -> Iterator[None]:
    """Let what runs inside pass without events, as it did when it was recorded."""
    lane.busy += 1
    try:
        yield
    finally:
        lane.busy -= 1
