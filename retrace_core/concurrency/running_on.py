"""Running on: what the start-up began in the background goes on being recorded after it.

A thread that fills a cache, or looks for news again and again, does not end when the first
request comes. Its lane goes on, for some time and some memory. What has come since is written as
a further part of the tape with each recording that is kept; each call has its time, so that a
replay knows how far the thread had got when a request came.

A lane in which requests come is the server's, and so is each that it was started from: they are
switched off.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrace_core import native
from retrace_core.native import OFF, RECORD
from retrace_core.recording import LANE_END

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrace_core.lanes import Lane
    from retrace_core.native import ScopeState

__all__ = ["LIMIT_S", "ON", "ChapterPart", "LanePart", "RunningOn"]

ON = "boot.on"
"""The label of the parts that go on with the boot."""

LIMIT_S = 600.0
"""How long it goes on, in seconds: what polls does so for good."""

_MOST_LANES = 500
"""Something that begins a thread every second does so for good, too."""


@dataclass(frozen=True, slots=True)
class LanePart:
    """Some events of one lane, in order."""

    id: str
    events: int
    complete: bool
    """False where it had not ended."""
    encoded: bytes

    def data(self) -> bytes:
        """Return the events as bytes."""
        return self.encoded


@dataclass(frozen=True, slots=True)
class ChapterPart:
    """What was asked in a chapter until now, or since; as `Chapter`, for who writes it."""

    label: str
    key: object
    started_ns: int
    state: ScopeState
    cut: bool
    has_digests: bool
    lanes: Sequence[LanePart]

    @property
    def events(self) -> int:
        """How many events it has."""
        return sum(lane.events for lane in self.lanes)

    @property
    def size_bytes(self) -> int:
        """How much memory it holds."""
        return sum(len(lane.encoded) for lane in self.lanes)


class RunningOn:
    """The lanes of a boot that go on after it.

    Args:
        label: of the first part: the boot's own.
        key: of the boot.
        started_ns: of the boot.
        state: of its lanes.
        lanes: all lanes of the boot.
        running: those of them that go on.
        most_bytes: how much memory what they ask may hold.
    """

    def __init__(
        self,
        label: str,
        key: object,
        started_ns: int,
        state: ScopeState,
        lanes: Sequence[Lane],
        running: Sequence[Lane],
        most_bytes: int,
    ) -> None:
        self._label, self._key, self._started_ns = label, key, started_ns
        self.state = state
        self._was_cut = state.cut
        state.limit_bytes = min(state.limit_bytes, state.size_bytes + most_bytes)
        self._lock = threading.RLock()
        self._lanes = list(lanes)
        self._ended: list[Lane] = []
        self._taken: dict[Lane, tuple[int, int]] = {}
        self._hashed: dict[Lane, int] = {}
        self._parts = 0
        self.on = True
        for lane in running:
            self._taken[lane] = (-1, 0)

    def spawned(self, lane: Lane) -> None:
        """Take note of a lane that one of them has begun; too many end it all."""
        with self._lock:
            if self.on and len(self._taken) < _MOST_LANES:
                self._lanes.append(lane)
                self._taken[lane] = (-1, 0)
                return
        lane.mode = OFF

    def ended(self, lane: Lane) -> None:
        """Take note that a lane's thread or task has ended."""
        with self._lock:
            if lane in self._taken and lane.mode == RECORD:
                lane.record(LANE_END, None, 0, None, native.now_ns())
                lane.mode = OFF
                self._ended.append(lane)

    def serves(self, lane: Lane) -> None:
        """Switch off a lane in which a request has come, and those that it was started from."""
        with self._lock:
            for one in list(self._taken):
                if lane.id == one.id or lane.id.startswith(f"{one.id}."):
                    one.mode = OFF
                    one.ended = True

    def stop(self) -> None:
        """End it: the lanes become harmless."""
        with self._lock:
            if not self.on:
                return
            self.on = False
            for lane in self._taken:
                lane.mode = OFF
        native.arm(-1)

    def take(self) -> ChapterPart | None:
        """Return what has come since; at first the whole boot. None where nothing has."""
        with self._lock:
            first, self._parts = not self._parts, self._parts + 1
            lanes = self._lanes if first else list(self._taken)
            parts = [part for lane in lanes if (part := self._part(lane))]
            hashes = any(lane.hashes > self._hashed.get(lane, 0) for lane in lanes)
            self._hashed = {lane: lane.hashes for lane in self._taken}
            for lane in self._ended:
                self._taken.pop(lane, None)
                self._hashed.pop(lane, None)
            self._ended.clear()
            self._lanes.clear()  # nobody asks for the others again
        if not parts:
            return None
        label = self._label if first else ON
        cut = self._was_cut and first
        return ChapterPart(label, self._key, self._started_ns, self.state, cut, hashes, parts)

    @property
    def has_digests(self) -> bool:
        """True where something was hashed that no part has yet."""
        with self._lock:
            return any(lane.hashes > self._hashed.get(lane, 0) for lane in self._taken)

    def _part(self, lane: Lane) -> LanePart | None:
        events, size = self._taken.get(lane, (0, 0))
        while True:
            now, data = lane.events, lane.data()[size:]
            if lane.events == now:  # its thread goes on meanwhile
                break
        if now == events:
            return None
        complete = lane.ended or lane not in self._taken
        if lane in self._taken:
            self._taken[lane] = (now, size + len(data))
        return LanePart(lane.id, now - max(events, 0), complete, data)
