"""Whereabouts: a task of the start-up that says nothing of itself is known by its number."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from retrace_core import native
from retrace_core.boot.recording import ChapterNote
from retrace_core.boot.tape import BOOT
from retrace_core.recording import RETURNED, Event, LaneEvents
from retrace_core.replay.boot import BootPlayer
from retrace_core.replay.chapter import Chapter
from retrace_core.replay.chapter_player import ChapterPlayer

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON_NS = 10**18


def _event(number: int, kind: str, key: object, value: object) -> Event:
    return Event(number, kind, RETURNED, key, value, number, 0)


def _player(lanes: Sequence[LaneEvents]) -> ChapterPlayer:
    chapter = Chapter(ChapterNote(0, BOOT, native.encode(None), NOON_NS), lanes)
    return ChapterPlayer(BootPlayer([], NOON_NS + 10**9), chapter)


def _start_up(*, poller_runs_on: bool) -> ChapterPlayer:
    """Return what plays a start-up that asks for rows, commits in two tasks, and leaves a third."""
    return _player(
        [
            LaneEvents("1/0.4", [_event(1, "execute", "select", "rows")], complete=True),
            LaneEvents("1/0.4.0", [_event(2, "commit", None, "first")], complete=True),
            LaneEvents("1/0.4.1", [_event(3, "commit", None, "second")], complete=True),
            LaneEvents("1/0.4.2", [], complete=not poller_runs_on),
        ]
    )


def test_each_task_gets_what_the_task_of_its_number_got() -> None:
    """They ask the same, in whichever order: SQLAlchemy commits in a task of its own."""

    async def main() -> tuple[object, object]:
        owner = _start_up(poller_runs_on=False)
        lane = owner.root.spawn()
        await owner.answer_async(lane, "execute", "select")
        first, second = lane.spawn(), lane.spawn()
        later = await owner.answer_async(second, "commit", None)
        return await owner.answer_async(first, "commit", None), later

    assert asyncio.run(main()) == ("first", "second")


def test_a_task_that_had_ended_is_not_kept_waiting() -> None:
    """The application waits for it: it is not the one that runs on and had asked for nothing."""

    async def main() -> object:
        owner = _start_up(poller_runs_on=True)
        lane = owner.root.spawn()
        await owner.answer_async(lane, "execute", "select")
        return await owner.answer_async(lane.spawn(), "commit", None)

    begun = time.monotonic()
    assert asyncio.run(main()) == "first"
    assert time.monotonic() - begun < 1


def test_one_of_whose_owner_nothing_is_known_is_the_next_that_begins_so() -> None:
    """A lifespan that asks for nothing itself before its first task: its number says nothing."""

    async def main() -> tuple[object, object]:
        owner = _start_up(poller_runs_on=True)
        lifespan = owner.root.spawn()
        first, second = lifespan.spawn(), lifespan.spawn()
        before = await owner.answer_async(first, "commit", None)
        return before, await owner.answer_async(second, "commit", None)

    begun = time.monotonic()
    assert asyncio.run(main()) == ("first", "second")
    assert time.monotonic() - begun < 1
