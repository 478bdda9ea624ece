"""Loop waits: sleeps of tasks and timers that the start-up left to its event loop, on replay.

As often as they had been over when the request came they are over here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.recording import ASYNC_SLEEP
from retrace_core.replay.chapter import TIMER
from retrace_core.replay.progress import NEVER

if TYPE_CHECKING:
    from retrace_core.lanes import Lane
    from retrace_core.replay.chapter import Chapter
    from retrace_core.replay.progress import Progress

__all__ = ["LoopWaits"]


class LoopWaits:
    """How often each was over.

    Args:
        chapter: what was recorded, if anything.
        progress: how far the start-up may get.
    """

    def __init__(self, chapter: Chapter | None, progress: Progress) -> None:
        self._chapter = chapter
        self._progress = progress
        self._sleeps = 0
        self._called: dict[object, int] = {}

    async def sleep(self, lane: Lane, *, held: bool) -> None:
        """Wait until one more sleep may be over.

        Args:
            lane: in which it is.
            held: False where what was recorded after the request came counts, too.
        """
        self._sleeps += 1
        while self._sleeps > self._count(ASYNC_SLEEP, None, held):
            await self._progress.wait_async(lane, NEVER)

    async def timer(self, lane: Lane, name: object, *, held: bool) -> None:
        """Wait until one more timer that calls something of this name may be over; as `sleep`."""
        while self._called.get(name, 0) >= self._count(TIMER, name, held):
            await self._progress.wait_async(lane, NEVER)
        self._called[name] = self._called.get(name, 0) + 1

    def woken(self) -> None:
        """Take note that a sleep, which was asked for, was none."""
        self._sleeps -= 1

    def _count(self, kind: str, key: object, held: bool) -> int:
        if self._chapter is None:
            return 0
        return self._chapter.count(kind, self._progress.limit_ns if held else NEVER, key=key)
