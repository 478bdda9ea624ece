"""Flight recorder: recordings that are dropped wait in memory a while, to be saved on a trigger.

The ring is bounded in bytes, counted exactly, and in seconds. What it holds is packed bytes:
no lane, frame or object of the application stays alive for it. Nothing is written without a
trigger. A forked process starts with an empty ring.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict, deque
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from retrace_core import failsafe, keep_sharing, triggers, writer
from retrace_core.boot import recording as boot_recording
from retrace_core.forked import after_fork
from retrace_core.ids import names_trace
from retrace_core.native import now_ns
from retrace_core.recording import DecisionRecord
from retrace_core.stats import count
from retrace_core.trace_file import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.recording import Environment
    from retrace_core.settings import Settings
    from retrace_core.store import Store
    from retrace_core.trace_file import Draft

__all__ = ["FlightRecorder", "configure", "forget", "hold", "recorder", "save_recent"]

DECIDER = "flight recorder"
_MOST_WANTED = 1024
_TICK_NS = 1_000_000_000


class _Held:
    """One recording in the ring."""

    __slots__ = ("data", "environment", "folder", "held_ns", "size_bytes", "trace_id")

    def __init__(self, draft: Draft, at_ns: int) -> None:
        header = draft.header
        self.data = pack(draft)
        self.environment: Environment = header.environment  # shared by all of a process
        self.trace_id = header.trace_id
        self.folder = header.folder or header.trace_id
        self.held_ns = at_ns
        self.size_bytes = _OVERHEAD + sum(
            map(sys.getsizeof, (self.data, self.trace_id, self.folder))
        )

    def is_of(self, trace: str) -> bool:
        return trace in (self.trace_id, self.folder)


# The object with its head for the collector, its two numbers, and its place in the ring (a
# deque's block of 64 is allocated whole, so twice).
_OVERHEAD = 16 + 16 + 8 * len(_Held.__slots__) + 2 * 32 + 2 * 8


class FlightRecorder:
    """A ring of recordings, bounded in bytes and in seconds.

    Args:
        limit_bytes: most memory that recordings may take here, in bytes, those included that
            were saved and wait for the writer.
        window_s: how long one stays, in seconds.
        clock_ns: nanoseconds that only grow, for tests.
    """

    def __init__(
        self, limit_bytes: int, window_s: float, clock_ns: Callable[[], int] = now_ns
    ) -> None:
        self.limit_bytes = limit_bytes
        self.window_s = window_s
        self._clock_ns = clock_ns
        self._lock = threading.RLock()
        self._busy = False
        self._ring: deque[_Held] = deque()
        self._ring_bytes = 0
        self._leaving_bytes = 0
        self._wanted: OrderedDict[str, tuple[int, str]] = OrderedDict()
        self._ticking = False

    def __len__(self) -> int:
        return len(self._ring)

    @property
    def size_bytes(self) -> int:
        """How much memory recordings take here, in bytes; never more than `limit_bytes`."""
        return self._ring_bytes + self._leaving_bytes

    def hold(self, draft: Draft) -> None:
        """Keep a recording in memory until it is saved, too old, or newer ones need its room."""
        held = _Held(draft, self._clock_ns())
        starts = False
        if not self._enter():
            return
        try:
            if held.size_bytes + self._leaving_bytes > self.limit_bytes:
                count("dropped.flight_recorder_full")
                return
            self._evict(held.size_bytes)
            self._ring.append(held)
            self._ring_bytes += held.size_bytes
            wanted = self._wanted.get(held.folder) or self._wanted.get(held.trace_id)
            if not self._ticking:
                self._ticking = starts = True
        finally:
            self._leave()
        if wanted is not None and wanted[0] >= held.held_ns:
            self._hand_over(self._take(held.folder, self.window_s), wanted[1])
        if starts:
            writer.park(now_ns() + _TICK_NS, self._tick)

    def save(self, reason: str, *, trace_id: str = "", last_s: float | None = None) -> int:
        """Hand recordings to the writer and return how many; see `save_recent`."""
        if trace_id and self._enter():
            until_ns = self._clock_ns() + int(self.window_s * 1e9)
            self._wanted[trace_id] = (until_ns, reason)
            if len(self._wanted) > _MOST_WANTED:
                self._wanted.popitem(last=False)
            self._leave()
        taken = self._take(trace_id, self.window_s if last_s is None else last_s)
        return self._hand_over(taken, reason)

    def _take(self, trace_id: str, last_s: float) -> list[_Held]:
        """Take out of the ring what is not older, of one trace if given."""
        taken: list[_Held] = []
        if not self._enter():
            return taken
        try:
            self._evict(0)
            since = self._clock_ns() - int(last_s * 1e9)
            left: deque[_Held] = deque()
            for held in self._ring:
                match = held.held_ns >= since and (not trace_id or held.is_of(trace_id))
                (taken if match else left).append(held)
            size = sum(held.size_bytes for held in taken)
            self._ring = left
            self._ring_bytes -= size
            self._leaving_bytes += size
        finally:
            self._leave()
        return taken

    def _hand_over(self, taken: list[_Held], reason: str) -> int:
        saved = 0
        for held in taken:
            # Its memory is on our account until the writer has it: it takes none of the queue.
            if writer.submit(partial(self._give, held, reason), 0):
                saved += 1
            else:
                self._left(held)
        count("recorded", saved)
        count("saved.flight_recorder", saved)
        return saved

    def _give(self, held: _Held, reason: str) -> Draft:
        try:
            draft = unpack(held.data, held.environment)
        finally:
            self._left(held)
        boot_recording.save(draft.header.service, held.environment)
        decision = DecisionRecord(draft.header.decision.verdict, DECIDER, reason)
        draft.header = msgspec.structs.replace(draft.header, decision=decision)
        return draft

    def _left(self, held: _Held) -> None:
        held.data = b""
        with self._lock:
            self._leaving_bytes -= held.size_bytes

    def _enter(self) -> bool:
        """Take the lock; False inside itself, and nothing may be touched.

        A signal's handler, or a finaliser that the collector runs, can come at any moment, on
        the very thread that is at work here.
        """
        self._lock.acquire()
        if self._busy:
            self._lock.release()
            count("dropped.flight_recorder_busy")
            return False
        self._busy = True
        return True

    def _leave(self) -> None:
        self._busy = False
        self._lock.release()

    def _evict(self, room_bytes: int) -> None:
        """Forget what is too old, and the oldest until there is room; the lock is ours."""
        oldest_ns = self._clock_ns() - int(self.window_s * 1e9)
        ring = self._ring
        while ring and (
            ring[0].held_ns < oldest_ns or self.size_bytes + room_bytes > self.limit_bytes
        ):
            self._ring_bytes -= ring.popleft().size_bytes

    def _tick(self) -> None:
        """Once a second while the ring holds something, on the writer's thread; and at exit."""
        if not self._enter():
            return
        try:
            self._evict(0)
            now = self._clock_ns()
            while self._wanted and next(iter(self._wanted.values()))[0] < now:
                self._wanted.popitem(last=False)
            folders = {held.folder for held in self._ring}
        finally:
            self._leave()
        with failsafe.gate("keep list"):
            for trace, reason in keep_sharing.kept_elsewhere(folders) if folders else ():
                self.save(reason, trace_id=trace)
        with self._lock:
            self._ticking = again = bool(self._ring)
        if again:
            writer.park(now_ns() + _TICK_NS, self._tick)


_recorder: FlightRecorder | None = None
_service = ""
_at_exit = False
_renewed = False


def recorder() -> FlightRecorder | None:
    """Return the flight recorder of this process, or None when it is off."""
    return _recorder


def configure(settings: Settings, store: Store) -> None:
    """Switch the flight recorder of this process on, change it, or switch it off.

    Args:
        settings: its bounds, its triggers, and whether keeps are shared.
        store: where recordings go, and the keep list.
    """
    global _recorder, _service, _at_exit
    keep_sharing.share(store if settings.share_keeps else None)
    limit_bytes, window_s = settings.flight_recorder_bytes, settings.flight_recorder_s
    names = settings.flight_recorder_triggers.replace(",", " ").split()
    _service = settings.service
    _at_exit = "exit" in names
    if not limit_bytes:
        _recorder = None
        triggers.uninstall()
        return
    if _recorder is None:
        _recorder = FlightRecorder(limit_bytes, window_s)
    else:
        _recorder.limit_bytes, _recorder.window_s = limit_bytes, window_s
    triggers.install(names, save_recent)
    writer.at_exit(_save_at_exit)


def _save_at_exit() -> None:
    if _recorder is not None and _at_exit:
        _recorder.save("the process ended")


def forget() -> None:
    """Start afresh with an empty ring: after a fork the parent's is the parent's to save."""
    global _recorder, _renewed
    _renewed = False
    if _recorder is not None:
        before = _recorder
        _recorder = FlightRecorder(before.limit_bytes, before.window_s, before._clock_ns)


def hold(make: Callable[[], Draft], size_bytes: int) -> bool:
    """Keep in memory what would be dropped; returns False, with nothing done, when it is off.

    Args:
        make: gives the recording; called at once.
        size_bytes: about how large it is; what can't fit is not made.
    """
    global _renewed
    if _recorder is None or size_bytes > _recorder.limit_bytes:
        return False
    if not _renewed:  # the first request of a worker: its server has set up its signals by now
        _renewed = True
        triggers.renew()
    _recorder.hold(make())
    return True


def save_recent(reason: str, trace_id: str | None = None, last_s: float | None = None) -> int:
    """Save recordings that were dropped lately and are still in memory.

    They go through the ordinary writer, and say in their decision that it was the flight
    recorder's, and why. It is safe to call from any thread, and does no disk access itself.

    Args:
        reason: why, in words; it is kept in the recordings.
        trace_id: only those of this trace, its id or its X-Trace-ID as given; of this trace
            recordings are also saved that are dropped within `flight_recorder_s` from now on.
        last_s: only those that ended within so many seconds; default all that are held.

    Returns:
        How many were handed to the writer; 0 when the flight recorder is off.
    """
    if _recorder is None or (trace_id is not None and not names_trace(trace_id)):
        return 0
    if trace_id:
        keep_sharing.trace_kept(trace_id, _service, reason)
    return _recorder.save(reason, trace_id=trace_id or "", last_s=last_s)


after_fork(forget)
