"""A boot tape of several workers: what one of them played of another's is this process's own."""

from __future__ import annotations

import pytest

from retrace_core import native
from retrace_core.boot.recording import ChapterNote
from retrace_core.boot.tape import BOOT
from retrace_core.native import SOFT_KINDS
from retrace_core.recording import LaneEvents, SoftEvent
from retrace_core.replay.boot import BootPlayer
from retrace_core.replay.chapter import Chapter
from retrace_core.replay.chapter_player import ChapterPlayer

PID = "os.getpid"


@pytest.mark.parametrize(("label", "told"), [(BOOT, 111), ("sqlalchemy.connect", 222)])
def test_who_connects_is_the_process_that_is_replayed(label: str, told: int) -> None:
    """A pool compares that with who asks for the connection; a start-up may be another's."""
    lane = LaneEvents("1/0", [SoftEvent(PID, "pool.py:connect", 111)], complete=True)
    chapter = Chapter(ChapterNote(0, label, native.encode(None), 0), [lane])
    owner = ChapterPlayer(BootPlayer([], 10**9, pid=222), chapter)

    assert owner.soft(owner.root, SOFT_KINDS.index(PID), None, ()) == told
