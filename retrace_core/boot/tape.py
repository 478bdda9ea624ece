"""Boot tape: what this process asked of the world for itself, and not for one request.

It has chapters. The first is the boot: all that is asked from the moment the library is
active until the first request. Each later one is something that is done once for the process
while some request waits: a pool connects, a cache is filled. It is found again on replay by
its label and key, whichever request is replayed, so that a cold process gets the answers
that the warm one got.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe, native
from retrace_core.boot.chapter import BOOT, Chapter
from retrace_core.forked import after_fork
from retrace_core.ids import new_trace_id
from retrace_core.lanes import Lane, masked_value
from retrace_core.native import LANE, OFF, RECORD
from retrace_core.stats import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retrace_core.concurrency.running_on import ChapterPart, RunningOn

__all__ = [
    "BOOT",
    "IMPORT",
    "BootTape",
    "Chapter",
    "begin",
    "boot_lane",
    "boot_runs",
    "end_boot",
    "enter_boot",
    "has_room_for",
    "in_boot_lane",
    "is_active",
    "is_of_boot",
    "is_played",
    "leave_boot",
    "on_boot_tape",
    "playback",
    "serves_request",
    "tape",
]

IMPORT = "import"
"""That of a module which is imported while a request waits; the key is its name."""

_Name = tuple[str, bytes, int]
"""Label, key, and which of both is kept: the latest, or the one in which most was asked."""
_LATEST, _FULLEST = 0, 1
_FOR_FILES = 0.75
"""How much of the tape may be taken once what is in a file is on it."""


class BootTape:
    """The chapters of one process.

    Args:
        limit_bytes: how much memory they may hold; further chapters are left out, counted.
        masks: True where secrets will be masked in it.
    """

    def __init__(self, limit_bytes: int, *, masks: bool = False) -> None:
        self.id = new_trace_id()
        self.masks = masks
        self.limit_bytes = limit_bytes
        self.boot: Chapter | None = None
        """The first chapter, while it goes on."""
        self.on_boot_end: Callable[[], None] | None = None
        self.running: RunningOn | None = None
        """What the boot began, and goes on."""
        self._has_digests = False
        self._lock = threading.RLock()
        self._chapters: dict[_Name, Chapter | ChapterPart] = {}
        self._unsaved: set[_Name] = set()
        self._size_bytes = 0
        self._segments = 0

    def open(self, label: str, key: object = None) -> Chapter:
        """Return a new chapter, recording."""
        native.arm(1)
        return Chapter(label, key, self.limit_bytes, masks=self.masks)

    def close(self, chapter: Chapter) -> None:
        """End a chapter, and keep it when anything was asked in it."""
        chapter.close()
        self._keep(chapter)

    def end_boot(self, boot: Chapter, here: object) -> None:
        """End the boot, and keep it; what it began in the background may go on.

        Args: as for `Chapter.end`.
        """
        with self._lock:
            most_bytes = max(0, self.limit_bytes - self._size_bytes - boot.size_bytes) // 4
            if not boot.end(here, most_bytes):
                self._keep(boot)
                return
            self._size_bytes += boot.size_bytes + most_bytes
            self.running = boot.on

    def _keep(self, chapter: Chapter) -> None:
        if not chapter.events:
            return
        label, key = chapter.label, native.encode(chapter.key)
        with self._lock:
            before = self._chapters.get((label, key, _LATEST))
            fullest = self._chapters.get((label, key, _FULLEST))
            # The first connection of an engine looks at what the database can do, and later ones,
            # whose answers are newer, don't: a cold process asks like the first.
            most = max(chapter.events, fullest.events if fullest is not None else 0)
            stays = before is not None and before.events > most
            size = self._size_bytes + chapter.size_bytes
            if before is not None and not stays:
                size -= before.size_bytes
            if size > self.limit_bytes:
                count("boot_tape.full")
                return
            self._size_bytes = size
            if before is not None and stays:
                self._put((label, key, _FULLEST), before)
            self._put((label, key, _LATEST), chapter)

    def _put(self, name: _Name, chapter: Chapter | ChapterPart) -> None:
        replaced = self._chapters.pop(name, None)  # the order is that in which they were done
        if replaced is not None and name[2] == _FULLEST:
            self._size_bytes -= replaced.size_bytes
        self._chapters[name] = chapter
        self._unsaved.add(name)
        self._has_digests = self._has_digests or chapter.has_digests

    def take_unsaved(self) -> tuple[int, list[Chapter | ChapterPart]]:
        """Return the number of the file to make, 0 for none, and the chapters in no file yet.

        The first file is made in any case.
        """
        with self._lock:
            chapters = [one for name, one in self._chapters.items() if name in self._unsaved]
            self._unsaved.clear()
            self._has_digests = False
            part = self.running.take() if self.running is not None else None
            if part is not None:
                chapters.append(part)
                if part.label == BOOT:
                    self._chapters[BOOT, native.encode(part.key), _LATEST] = part
            if self._segments and not chapters:
                return 0, []
            self._segments += 1
            return self._segments, chapters

    @property
    def has_digests(self) -> bool:
        """True where something was hashed that is in no file yet."""
        return self._has_digests or (self.running is not None and self.running.has_digests)

    @property
    def is_saved(self) -> bool:
        """True once a file of it was made."""
        return self._segments > 0

    def forked(self) -> None:
        """Become the tape of a child process: it was the same boot, and is saved apart."""
        self.id = new_trace_id()
        self._lock = threading.RLock()
        self._segments = 0
        self._unsaved = set(self._chapters)
        if self.boot is not None:
            self.boot.forked()
        if self.running is not None:
            self.running.stop()  # none of its threads is here


_tape: BootTape | None = None
_playback: Callable[[str, object], Lane] | None = None
_plays_imports = False


def tape() -> BootTape | None:
    """Return the tape of this process, or None where none was begun."""
    return _tape


def is_active() -> bool:
    """Return True when chapters are recorded or played in this process."""
    return _tape is not None or _playback is not None


def is_played() -> bool:
    """Return True while a replay answers chapters."""
    return _playback is not None


def begin(limit_bytes: int, *, masks: bool = False) -> None:
    """Begin the tape of this process with its boot, in the current context; later: nothing.

    Args:
        limit_bytes: how much memory all chapters may hold.
        masks: True where secrets will be masked in them.
    """
    global _tape
    if _tape is not None or _playback is not None:
        return
    with failsafe.gate("begin the boot tape"):
        _tape = BootTape(limit_bytes, masks=masks)
        lane = LANE.get()
        if lane is None or lane.mode == OFF:
            _tape.boot = _tape.open(BOOT)
            LANE.set(_tape.boot.root)


def boot_runs() -> bool:
    """Return True until the first request of the process."""
    return _tape is not None and _tape.boot is not None


def boot_lane() -> Lane | None:
    """Return the lane of the boot while it goes on."""
    return _tape.boot.root if _tape is not None and _tape.boot is not None else None


def is_of_boot(lane: Any) -> bool:
    """Return True for a lane of the start-up, recorded or played."""
    return getattr(lane.scope, "label", "") == BOOT


def has_room_for(lane: Any, path: Any) -> bool:
    """Return False where what a file has in it would take the room of the start-up's other calls.

    Those have no answer elsewhere; a file may lie there, or was written by the start-up itself.

    Args:
        lane: in which the file is read.
        path: of the file.
    """
    if not is_of_boot(lane) or lane.mode != RECORD:
        return True
    try:
        size_bytes = os.stat(path).st_size
    except OSError:
        return True
    if lane.state.size_bytes + size_bytes <= lane.state.limit_bytes * _FOR_FILES:
        return True
    count("boot_tape.files")
    return False


@contextmanager
def in_boot_lane() -> Iterator[None]:
    """Run a part of the boot that the server runs in another context (lifespan)."""
    lane, before = boot_lane(), LANE.get()
    if isinstance(before, Lane) and isinstance(before.scope, Chapter) and before.mode == RECORD:
        before.scope.foreground.add(before)  # it waits for the end, and is of the server
    if lane is None or before is not None:
        yield
        return
    LANE.set(lane)
    try:
        yield
    finally:
        LANE.set(before)


def leave_boot() -> None:
    """Keep the boot open, but record nothing of what the current context does from now on.

    A worker of a task queue talks with its broker for hours before its first task comes, or
    forks a child for each.
    """
    lane = LANE.get()
    if lane is not None and lane is boot_lane():
        LANE.set(None)


def enter_boot() -> None:
    """Go on with the boot in the current context, until it ends."""
    lane = boot_lane()
    if lane is not None and LANE.get() is None:
        LANE.set(lane)


def end_boot() -> None:
    """Say that the first request has come; another that has come meanwhile waits for the end."""
    native.order_sets_while_armed()
    if _tape is None:
        return
    with failsafe.gate("end the boot"):
        with _tape._lock:
            boot, _tape.boot = _tape.boot, None
            if boot is not None:
                _tape.end_boot(boot, LANE.get())
        if boot is not None and _tape.on_boot_end is not None:
            _tape.on_boot_end()


def serves_request(lane: Any) -> bool:
    """Return True for a lane of the start-up that goes on, in which a request has come now.

    So it is the server's, and none of the application's work: it is switched off.
    """
    running = getattr(lane.scope, "on", None) if lane.mode == RECORD else None
    if running is None:
        return False
    running.serves(lane)
    return True


@contextmanager
def playback(lane_of: Callable[[str, object], Lane], *, imports: bool) -> Iterator[None]:
    """Have chapters answered by a replay while the block runs.

    Args:
        lane_of: gets label and key; returns the lane in which it is answered.
        imports: True where the tape has chapters of imports; else they ask the live world.
    """
    global _playback, _plays_imports
    before, _playback = (_playback, _plays_imports), lane_of
    _plays_imports = imports
    try:
        yield
    finally:
        _playback, _plays_imports = before


class on_boot_tape:  # noqa: N801  # as `mask`, whose place it takes
    """Run what is done once for the process, not for the request that waits for it.

    Args:
        label: what is done, for instance "psycopg.connect".
        key: with what; the same again for the same thing in another process.
    """

    __slots__ = ("_before", "_chapter", "_key", "_label")

    def __init__(self, label: str = "", key: object = None) -> None:
        self._label = label
        self._key = key
        self._chapter: Chapter | None = None

    def __enter__(self) -> None:
        self._before = before = LANE.get()
        if _playback is not None:
            LANE.set(_playback(self._label, self._key))
        elif _tape is not None:
            self._chapter = _tape.open(self._label, self._key)
            LANE.set(self._chapter.root)
        elif before is not None:
            LANE.set(masked_value(before))

    def __exit__(self, *_: Any) -> None:
        LANE.set(self._before)
        if self._chapter is not None and _tape is not None:
            with failsafe.gate("close a chapter of the boot tape"):
                _tape.close(self._chapter)

    @property
    def events(self) -> int:
        """How many events the chapter has so far."""
        return self._chapter.events if self._chapter is not None else 0


def _importing(name: str) -> on_boot_tape | None:
    """Open the chapter of a module that a request imports (called by the hooks, which close it)."""
    if _tape is None and not _plays_imports:
        return None
    block = on_boot_tape(IMPORT, name)
    block.__enter__()
    return block


native.set_importer(_importing)


def _after_fork() -> None:
    if _tape is not None:
        _tape.forked()


after_fork(_after_fork)
