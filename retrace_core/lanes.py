"""Lanes: one for each thread or task of a scope, which keeps what is asked there, in order.

A lane's id is its parent's id, a dot, and the number of the child, given at the moment of
the spawn in the parent's program order: so the same program gives the same ids again,
however long each of the children takes. The work on an item of a queue is numbered apart,
with a q: it has a lane only where a thread or task does it that has none of this scope. So are
futures, with an f: one has a lane only where others than this scope's lanes set its result.
"""

from __future__ import annotations

import functools
import zlib
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe, native
from retrace_core.codec import pack_exception
from retrace_core.concurrency.ordering import in_turn, patient
from retrace_core.crypto import hashing
from retrace_core.native import INFRA, LANE, REPLAY
from retrace_core.recording import RAISED, RETURNED

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from concurrent.futures import Future
    from types import CodeType

    from retrace_core.lane_owner import LaneOwner

__all__ = ["Lane", "mask", "masked_value"]


class Lane(native.Lane):
    """The ordered events of one thread or task inside a scope."""

    __slots__ = (
        "_calls",
        "_children",
        "_futures",
        "_items",
        "before_end",
        "cancelled",
        "ended",
        "hashes",
        "id",
        "scope",
    )

    scope: LaneOwner
    id: str
    ended: bool
    cancelled: bool
    """True when its task ended by being cancelled."""
    hashes: int
    """How many bytes of what is hashed in it are kept, or would be."""
    before_end: Callable[[], None] | None
    """Called when its thread or task has ended, and may still record."""

    def __init__(self, scope: LaneOwner, lane_id: str, mode: int) -> None:
        super().__init__(scope.state, mode)
        self.scope = scope
        self.id = lane_id
        self.ended = False
        self.cancelled = False
        self.hashes = 0
        self.before_end = None
        self._children = 0
        self._items = 0
        self._futures = 0
        self._calls = -1

    def next_child_id(self) -> str:
        """Return the id of the next child; only the lane's own thread may ask."""
        number = self._children
        self._children = number + 1
        return f"{self.id}.{number}"

    @property
    def children(self) -> int:
        """How many children it has so far."""
        return self._children

    def next_item_id(self) -> str:
        """Return the id of the lane for the work on the next item that is put into a queue."""
        number = self._items
        self._items = number + 1
        return f"{self.id}.q{number}"

    def next_future_id(self) -> str:
        """Return the id of the lane for the result of the next future that it makes."""
        number = self._futures
        self._futures = number + 1
        return f"{self.id}.f{number}"

    def next_call(self) -> int:
        """Return the number of the next outgoing call; on replay it is the same again.

        So it is counted in each lane: lanes of threads race for a common counter. Each begins
        somewhere else, such that those of one request rarely meet.
        """
        if self._calls < 0:
            self._calls = 0 if self.id == "0" else zlib.crc32(self.id.encode())
        number = self._calls
        self._calls = number + 1
        return number

    def spawn(self) -> Lane:
        """Return a new child lane, numbered in program order."""
        return self.scope.spawn(self)

    def end(self, future: asyncio.Future[Any] | Future[Any] | None = None) -> None:
        """Say that the thread or task of this lane has ended; fits as a done-callback."""
        if not self.ended:
            if self.before_end is not None:
                self.before_end()
            self.ended = True
            self.cancelled = future is not None and future.cancelled()
            self.scope.lane_ended(self)

    def serve(self, kind: int, code: CodeType | None, args: tuple[Any, ...]) -> object:
        """Return the recorded answer of a clock or entropy read (called by the hooks)."""
        return self.scope.soft(self, kind, code, args)

    def slept(self, seconds: object, error: BaseException | None, start_ns: int) -> None:
        """Record a sleep that has ended (called by the hooks)."""
        if error is None:
            self.record("time.sleep", seconds, RETURNED, None, start_ns)
        else:
            self.record("time.sleep", seconds, RAISED, pack_exception(error), start_ns)

    def hashing(self, made: Any, fed: Any, whole: Any = True) -> Any:
        """Return what takes the place of a hash that was made (called by the hooks)."""
        try:
            return hashing.kept(self, made, fed, whole=bool(whole))
        except Exception as fault:
            failsafe.report("hash", fault)
            return made

    def lock(self, lock: Any, args: Any, options: Any, code: CodeType | None) -> object:
        """Acquire a lock in its turn (called by the hooks)."""
        given: dict[str, Any] = options or {}
        live = functools.partial(lock.acquire, *args, **given)
        if args or given:
            from retrace_core.concurrency.timed import tried  # which knows lanes

            blocking = args[0] if args else given.get("blocking", True)
            timeout = args[1] if len(args) > 1 else given.get("timeout", -1)
            if isinstance(timeout, int | float) and (not blocking or timeout >= 0):
                return tried(self, lock, code, live, timeout if blocking else 0)

        def again(patience_s: float) -> object:
            return lock.acquire(timeout=patient(patience_s))

        return in_turn(self, "lock", code, live, again)


class mask:  # noqa: N801  # used as a function; a generator would cost more than what it masks
    """Run library internals with no lane, so that what they do is nobody's event.

    What they start inside (tasks, callbacks, threads) inherits no lane either. During
    replay the masked code still knows that it is replayed (`boundary.in_replay`).
    """

    __slots__ = ("_lane",)

    def __enter__(self) -> None:
        self._lane = lane = LANE.get()
        if lane is not None:
            LANE.set(masked_value(lane))

    def __exit__(self, *_: object) -> None:
        if self._lane is not None:
            LANE.set(self._lane)


def masked_value(lane: native.Lane) -> native.Lane | None:
    """Return what `LANE` must hold to mask `lane`: None, or replay's infrastructure lane."""
    if lane.mode == REPLAY:
        return getattr(lane.scope, "infrastructure", None) if isinstance(lane, Lane) else None
    return lane if lane.mode == INFRA else None
