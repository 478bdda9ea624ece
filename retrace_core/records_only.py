"""RecordsOnly: the half of a lane's owner that only a replay has, for owners that record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType

    from retrace_core.concurrency.loop_steps import LoopSteps
    from retrace_core.lanes import Lane

__all__ = ["RecordsOnly"]


class RecordsOnly:
    """Never asked for an answer: its lanes are all of mode `RECORD`."""

    steps: LoopSteps | None = None
    """None: there is one lane, or no event loop."""

    def lane_ending(self, lane: Lane) -> None:
        """Do nothing: only a replaying lane waits for its turn to end."""

    def expect(self, parent: Lane, lane_id: str) -> Lane | None:
        """Return None: a lane that records is made when the work begins."""

    def soft(self, lane: Lane, kind: int, code: CodeType | None, args: tuple[Any, ...]) -> object:
        """Never called: only a replaying lane asks for recorded answers."""
        raise NotImplementedError

    def answer(self, lane: Lane, kind: str, key: object) -> object:
        """Never called, as `soft`."""
        raise NotImplementedError

    async def answer_async(self, lane: Lane, kind: str, key: object) -> object:
        """Never called, as `soft`."""
        raise NotImplementedError

    def free_answer(self, lane: Lane, kind: str, key: object) -> tuple[bool, object]:
        """Never called, as `soft`."""
        raise NotImplementedError

    def diverge(self, lane: Lane, kind: str, key: object, reason: str = "") -> BaseException:
        """Never called, as `soft`."""
        raise NotImplementedError

    def comes(self, lane: Lane, kind: str, key: object, past: Sequence[str] = ()) -> bool:
        """Never called, as `soft`."""
        raise NotImplementedError

    def is_handed_over(self, lane: Lane, key: str) -> bool:
        """Never called, as `soft`."""
        raise NotImplementedError

    def got(self, lane: Lane) -> None:
        """Never called, as `soft`."""
        raise NotImplementedError

    def answers_itself(self, lane: Lane, kind: str) -> None:
        """Never called, as `soft`."""
        raise NotImplementedError

    def failure_comes(self, lane: Lane, kind: str, key: object = None) -> bool:
        """Never called, as `soft`."""
        raise NotImplementedError

    def in_turn(self, lane: Lane, key: str, live: Any, again: Any) -> Any:
        """Never called, as `soft`."""
        raise NotImplementedError

    def on_its_thread(self, lane: Lane, work: Any) -> Any:
        """Never called, as `soft`."""
        raise NotImplementedError
