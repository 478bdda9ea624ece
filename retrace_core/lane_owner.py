"""Lane owner: what a lane needs of its scope, be it recording or replaying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType

    from retrace_core.concurrency.loop_steps import LoopSteps
    from retrace_core.lanes import Lane
    from retrace_core.native import ScopeState

__all__ = ["LaneOwner"]

T = TypeVar("T")


class LaneOwner(Protocol):
    """The scope that a lane is of."""

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
