"""Boot polling: what waits in the background for news leaves a replay's processor to others."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from typing import Any

from retrace_core import native
from retrace_core.boot.recording import ChapterNote
from retrace_core.boot.tape import BOOT
from retrace_core.recording import RETURNED, Event, LaneEvents
from retrace_core.replay.boot import BootPlayer
from retrace_core.replay.chapter import Chapter
from retrace_core.replay.chapter_player import ChapterPlayer

_NEWS = Event(1, "news.get", RETURNED, False, "nothing", 10, 5)


def _polls(rounds: int) -> int:
    """Return how often a task of the start-up asks while the loop goes round so often."""
    key = native.encode(None)
    chapter = Chapter(ChapterNote(0, BOOT, key, 0), [LaneEvents("boot.0", [_NEWS])])
    owner = ChapterPlayer(BootPlayer([], 10**9), chapter)
    polls = 0

    async def poll(lane: Any) -> None:
        nonlocal polls
        while await owner.answer_async(lane, "news.get", False) == "nothing":
            polls += 1

    async def main() -> None:
        polling = asyncio.create_task(poll(owner.root.spawn()))
        for _ in range(rounds):
            await asyncio.sleep(0)
        polling.cancel()

    asyncio.run(main())
    return polls


def test_what_polls_does_not_go_round_for_nothing() -> None:
    """It had waited for each answer when it was recorded, and gets the last one ever again."""
    assert 20 <= _polls(20_000) < 2_000


def test_what_sleeps_for_a_moment_again_and_again_does_not_keep_a_request_back() -> None:
    """It waits for a server to begin, say, and none does: so it gets nowhere, however often."""
    boot = BootPlayer([], 10**9)
    lane = boot.lane().spawn()
    boot.progress.begun(lane)

    def sleeps() -> None:
        with suppress(SystemExit):
            while True:
                boot.progress.sleep(lane, 0.001, lambda: False)

    thread = threading.Thread(target=sleeps)
    thread.start()
    begun = time.monotonic()
    for _ in boot.progress.request_comes(10**9, 10**9, lambda: 0):
        time.sleep(0.01)
    took_s = time.monotonic() - begun
    boot.finish()
    thread.join(10)
    assert took_s < 5
