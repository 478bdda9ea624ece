"""Lanes: one for each thread or task of a scope, and how a scope is carried into them.

A lane's id is its parent's id, a dot, and the number of the child, given at the moment of
the spawn in the parent's program order: so the same program gives the same ids again,
however long each of the children takes. The work on an item of a queue is numbered apart,
with a q: it has a lane only where a thread or task does it that has none of this scope. So are
futures, with an f: one has a lane only where others than this scope's lanes set its result.
"""

from __future__ import annotations

import functools
import zlib
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from retrace_core import failsafe, hashing, native
from retrace_core.codec import pack_exception
from retrace_core.lane_hook import lane_hook
from retrace_core.native import INFRA, LANE, REPLAY, bind_thread, current, now_ns
from retrace_core.ordering import BEGUN, in_turn, note_turn, pass_in_turn, patient
from retrace_core.recording import RAISED, RETURNED
from retrace_core.serving_thread import on_its_thread, serving_thread

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from contextvars import Context
    from types import CodeType

    from retrace_core.loop_steps import LoopSteps
    from retrace_core.native import ScopeState

__all__ = [
    "Lane",
    "LaneOwner",
    "begin",
    "carry",
    "carry_future",
    "carry_task",
    "lend",
    "mask",
    "masked_value",
]

T = TypeVar("T")


class LaneOwner(Protocol):
    """What a lane needs of its scope, be it recording or replaying."""

    state: ScopeState
    span_id: str
    outgoing_headers: tuple[tuple[str, str], ...]
    lanes: list[Lane]

    @property
    def steps(self) -> LoopSteps | None:
        """How far the event loop had got between answers (recording only)."""
        ...

    def spawn(self, parent: Lane, lane_id: str = "") -> Lane:
        """Return a new child lane of `parent`; by default it gets the next number."""
        ...

    def expect(self, parent: Lane, lane_id: str) -> Lane | None:
        """Return the lane for the work on an item, if one was recorded (replay only)."""
        ...

    def lane_ending(self, lane: Lane) -> None:
        """Wait, on the lane's thread, for its turn to end (replay only)."""
        ...

    def lane_ended(self, lane: Lane) -> None:
        """Take note that the thread or task of `lane` has ended."""
        ...

    def handled(self, error: BaseException) -> None:
        """Take note of an exception that the application handled, and logged as an error."""
        ...

    def soft(self, lane: Lane, kind: int, code: CodeType | None, args: tuple[Any, ...]) -> object:
        """Return the recorded answer of a clock or entropy read (replay only)."""
        ...

    def answer(self, lane: Lane, kind: str, key: object) -> object:
        """Return or raise the recorded outcome of a call, in its turn (replay only)."""
        ...

    async def answer_async(self, lane: Lane, kind: str, key: object) -> object:
        """Do what `answer` does, without blocking the event loop."""
        ...

    def free_answer(self, lane: Lane, kind: str, key: object) -> tuple[bool, object]:
        """Return whether a call in no order was recorded, and its outcome (replay only)."""
        ...

    def diverge(self, lane: Lane, kind: str, key: object, reason: str = "") -> BaseException:
        """Return what to raise where replay can't go on (replay only)."""
        ...

    def comes(self, lane: Lane, kind: str, key: object, past: Sequence[str] = ()) -> bool:
        """Return True when this call is the next recorded one of `lane` (replay only)."""
        ...

    def is_handed_over(self, lane: Lane, key: str) -> bool:
        """Return True when `lane` gets next what other work of the process had handed over, as
        it was recorded (replay only)."""
        ...

    def got(self, lane: Lane) -> None:
        """Take note that `lane` has got what was not recorded by its value (replay only)."""
        ...

    def answers_itself(self, lane: Lane, kind: str) -> None:
        """Take note of a call that was not recorded, answered by a database in memory (replay
        only)."""
        ...

    def failure_comes(self, lane: Lane, kind: str, key: object = None) -> bool:
        """Return True when the next recorded event of `lane` is a failed `kind`."""
        ...

    def in_turn(
        self, lane: Lane, key: str, live: Callable[[], T], again: Callable[[float], T]
    ) -> T:
        """Take a lock, or an item of a queue, in its recorded turn (replay only)."""
        ...

    def on_its_thread(self, lane: Lane, work: Callable[[], T]) -> T:
        """Do all of a lane's work on a thread that keeps what its own had kept (replay only)."""
        ...


class Lane(native.Lane):
    """The ordered events of one thread or task inside a scope."""

    __slots__ = (
        "_calls",
        "_children",
        "_futures",
        "_items",
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

    def __init__(self, scope: LaneOwner, lane_id: str, mode: int) -> None:
        super().__init__(scope.state, mode)
        self.scope = scope
        self.id = lane_id
        self.ended = False
        self.cancelled = False
        self.hashes = 0
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
            from retrace_core.timed import tried  # which knows lanes

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


def carry(
    parent: native.Lane, child: Lane, function: Callable[..., T], *, ends: bool = True
) -> Callable[..., T]:
    """Return `function` such that it runs in lane `child` on whatever thread calls it.

    Code below may run in a copy of the parent's context (`asyncio.to_thread`, asgiref);
    therefore the thread is told that the parent's lane means the child's.

    Args:
        parent: the lane from which it comes.
        child: a lane of its own.
        function: what runs.
        ends: whether nothing happens in the lane after it.
    """

    @functools.wraps(function)
    def carried(*args: Any, **kwargs: Any) -> T:
        previous = bind_thread(parent, child)
        token = LANE.set(child)
        try:
            begin(child)
            return function(*args, **kwargs)
        finally:
            LANE.reset(token)
            bind_thread(*previous)
            if ends and child.mode == REPLAY:
                child.scope.lane_ending(child)

    return carried


def begin(lane: Lane) -> None:
    """Let the work of a lane begin, on its thread, in the recorded order of threads."""
    if lane.mode == REPLAY:
        pass_in_turn(lane, BEGUN)
    else:
        note_turn(lane, BEGUN, None, serving_thread(), now_ns())


def lend(lane: Lane, function: Callable[..., T]) -> Callable[..., T]:
    """Return `function` such that it runs in `lane` itself on another thread.

    Only while the lane's own task waits for it: a lane has one writer at a time.
    """

    @functools.wraps(function)
    def lent(*args: Any, **kwargs: Any) -> T:
        token = LANE.set(lane)
        try:
            return function(*args, **kwargs)
        finally:
            LANE.reset(token)

    return lent


def carry_future(
    submit: Callable[..., Future[T]],
    lane: Lane,
    function: Callable[..., T],
    args: tuple[Any, ...] = (),
    options: Mapping[str, Any] | None = None,
    *,
    pooled: bool = False,
) -> Future[T]:
    """Return the future of `function` submitted to an executor in a new child of `lane`.

    The submit itself runs masked: a worker thread that it starts must not keep the lane.

    Args:
        submit: of the executor.
        lane: the current one.
        function, args, options: what is to be done.
        pooled: whether the executor's threads keep something from one piece of work to the next.
    """
    child = lane.spawn()
    try:
        work = carry(lane, child, function)
        with mask():
            future = submit(
                on_its_thread(child, work) if pooled else work, *args, **(options or {})
            )
    except BaseException:
        child.end()
        raise
    future.retrace_lane = child.id  # type: ignore[attr-defined]  # by which replay knows it again
    future.add_done_callback(child.end)
    return future


def carry_task(create_task: Callable[..., Any]) -> Callable[..., Any]:
    """Return an event loop's `create_task` that gives each task of a scope its own lane."""

    @functools.wraps(create_task)
    def carrying(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> Any:
        lane = current()
        if lane is None or not isinstance(lane, Lane):
            return create_task(loop, coro, **options)
        if type(coro).__name__ == "async_generator_athrow":
            with mask():  # an abandoned generator is closed whenever it is collected
                return create_task(loop, coro, **options)
        child = lane.spawn()
        given: Context | None = options.get("context")
        context = copy_context() if given is None else given
        try:
            context.run(LANE.set, child)
        except RuntimeError:  # the given context is entered already: the lane stays shared
            child.end()
            return create_task(loop, coro, **options)
        task = create_task(loop, coro, **{**options, "context": context})
        with suppress(AttributeError):  # a task of a factory may take no more attributes
            task.retrace_lane = child.id  # by which it is told from others
        task.add_done_callback(child.end)
        return task

    return lane_hook(create_task, carrying)
