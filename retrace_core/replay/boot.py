"""Boot: answers what the process asks for itself during a replay, from its boot tape.

A chapter is found by its label and key. Within it, and then in the whole tape, a call is
found by what it asks, in no particular order: which thread starts what, and when, differs
between a server and a replay.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from retrace_core import failsafe, native
from retrace_core.boot import tape as boot_tape
from retrace_core.boot.recording import METHOD, ChapterNote
from retrace_core.boot.tape import BOOT
from retrace_core.codec import decode
from retrace_core.concurrency.running_on import ON
from retrace_core.errors import NotOnTape, RecordingError
from retrace_core.native import LANE, ScopeState
from retrace_core.replay.chapter import Asked, Chapter, Place
from retrace_core.replay.chapter_player import ChapterPlayer
from retrace_core.replay.masks import Masks
from retrace_core.replay.progress import Progress
from retrace_core.replay.serving_threads import ServingThreads
from retrace_core.surroundings import Surroundings, restored
from retrace_core.trace_file import load, load_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from retrace_core.lanes import Lane
    from retrace_core.recording import Event, LaneEvents, Recording

__all__ = ["BootPlayer", "booting", "find_boot_tape", "in_boot", "is_of_start_up"]

_LACKING = 20
"""So many calls that a tape lacks are kept, to be told."""


def find_boot_tape(path: Path, recording: Recording) -> list[Recording]:
    """Return the files of the boot tape that a recording refers to, as far as they are there.

    Args:
        path: of the recording's trace file, in the folder of its trace in the store.
        recording: what is in it.
    """
    if not recording.header.boot or len(path.absolute().parents) < 3:
        return []
    folder = path.absolute().parents[2] / recording.header.boot
    found: list[Recording] = []
    for file in sorted(folder.glob("boot*.bin")):
        try:
            if load_header(file).method != METHOD:
                continue  # a warm-up lies beside it
            one = load(file)
        except RecordingError:
            continue
        if one.request.protocol == "boot":
            found.append(one)
    return sorted(found, key=lambda one: one.header.span_id)


@contextmanager
def booting(boot: BootPlayer | None, app_dir: str | None) -> Iterator[list[str]]:
    """Have what is done for the process answered from its tape, in its surroundings.

    Args:
        boot: the tape; None for a recording without one, whose replay starts up as it can.
        app_dir: the application's folder.

    Yields:
        What of the surroundings could not be restored, in words.
    """
    if boot is None:
        with restored(None, ""):
            yield []
        return
    folder = app_dir or os.getcwd()
    playback = boot_tape.playback(boot.lane, imports=boot.has(boot_tape.IMPORT))
    with playback, restored(boot.surroundings, folder) as notes:
        yield notes


@contextmanager
def in_boot(boot: BootPlayer | None) -> Iterator[None]:
    """Run a part of the start-up on the boot's answers."""
    if boot is None:
        yield
        return
    before = LANE.get()
    LANE.set(boot.lane())
    try:
        yield
    finally:
        LANE.set(before)


def is_of_start_up(scope: object) -> bool:
    """Return True for the owner of a lane that the start-up has begun: it may run on after it."""
    return isinstance(scope, ChapterPlayer) and scope.label == BOOT


class BootPlayer:
    """The tape of the process whose recording is replayed.

    Args:
        files: of the tape, in order; none for a recording without one.
        started_ns: when the recorded request began, Unix time in nanoseconds.
        threads: those of the replay; default: new ones.
        pid: number of the process that recorded; default: not known.
    """

    def __init__(
        self,
        files: Sequence[Recording],
        started_ns: int,
        threads: ServingThreads | None = None,
        pid: int = 0,
    ) -> None:
        self.files = files
        self.pid = pid
        self.threads = threads or ServingThreads()
        self.state = ScopeState()
        self.state.imports = True
        told = [file.redaction.masks for file in files if file.redaction is not None]
        self.masks = Masks(mask for masks in told for mask in masks)
        self.outgoing_headers: tuple[tuple[str, str], ...] = ()
        self.lanes: list[Lane] = []
        self.notes: list[str] = []
        self.lacking: list[str] = []
        """What was asked that is not on the tape, in words; the first of it."""
        self.lock = threading.RLock()
        self.started_ns = started_ns
        self.ended = threading.Event()
        self.progress = Progress()
        """How far what the start-up began in the background may get."""
        self.progress.allow(float(started_ns))
        self._chapters: dict[tuple[str, bytes], list[Chapter]] = {}
        self._anywhere: dict[Asked, Place] = {}
        self.surroundings: Surroundings | None = None
        for file in files:
            self._take(file)

    def _take(self, file: Recording) -> None:
        lanes: dict[str, list[LaneEvents]] = {}
        for lane in file.lanes:
            lanes.setdefault(lane.id.partition("/")[0], []).append(lane)
        notes = msgspec.convert(file.request.extra.get("chapters", []), list[ChapterNote])
        for note in notes:
            of_chapter = lanes.get(str(note.number), ())
            boots = self._chapters.get((BOOT, note.key))
            if note.label == ON and boots:
                chapter = boots[-1]
                chapter.add(of_chapter)
            else:
                chapter = Chapter(note, of_chapter)
                self._chapters.setdefault((note.label, note.key), []).append(chapter)
            for asked, places in chapter.places.items():
                self._anywhere[asked] = places[-1]
        with failsafe.gate("surroundings"):
            given = file.request.extra.get("surroundings")
            if given is not None:
                self.surroundings = msgspec.convert(given, Surroundings)

    def lane(self, label: str = BOOT, key: object = None) -> Lane:
        """Return a lane in which one thing is done for the process, on the recorded answers."""
        found = self._chapters.get((label, native.encode(decode(native.encode(key)))), [])
        # A cache that was filled again has a chapter for each time; the last one counts that
        # was there when the request came.
        before = [one for one in found if one.note.started_ns <= self.started_ns]
        chapter = before[-1] if before else found[0] if found else None
        owner = ChapterPlayer(self, chapter)
        self.lanes.append(owner.root)
        return owner.root

    def has(self, label: str) -> bool:
        """Return True where the tape has a chapter of a label."""
        return any(known == label for known, _ in self._chapters)

    def calls_around(self) -> tuple[list[Event], list[Event]]:
        """Return what was answered before the request came, and what after, in order."""
        chapters = [one for found in self._chapters.values() for one in found]
        calls = [
            (chapter.answered_ns(event), event)
            for chapter in chapters
            for lane in chapter.calls.values()
            for event in lane
        ]
        calls.sort(key=lambda one: one[0])
        parted = bisect(calls, self.started_ns, key=lambda one: one[0])
        return [one for _, one in calls[:parted]], [one for _, one in calls[parted:]]

    def lacks(self, kind: str, key: object) -> NotOnTape:
        """Return what to raise where nobody asked this when it was recorded, and take note."""
        error = NotOnTape(kind, repr(key)[:200])
        asked = f"{kind} {key!r:.200}"
        is_new = not kind.endswith(("sleep", "wait")) and asked not in self.lacking
        if is_new and len(self.lacking) < _LACKING:
            self.lacking.append(asked)
        return error

    def anywhere(self, asked: Asked) -> Place | None:
        """Return where a call was last asked in any chapter."""
        return self._anywhere.get(asked)

    def finish(self) -> None:
        """End the replay: lanes that are still about become harmless."""
        for lane in self.lanes:
            lane.mode = native.OFF
        self.ended.set()
        self.progress.finish()
