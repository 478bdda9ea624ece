"""Boot chapter: what was asked while one thing was done for the process, in lanes of its own."""

from __future__ import annotations

import time
from typing import Any

from retrace_core import native
from retrace_core.concurrency.running_on import RunningOn
from retrace_core.lanes import Lane
from retrace_core.native import OFF, RECORD, ScopeState
from retrace_core.records_only import RecordsOnly

__all__ = ["BOOT", "Chapter"]

BOOT = "boot"
"""The label of the first chapter."""


class Chapter(RecordsOnly):
    """What was asked while one thing was done for the process; owns the lanes of it."""

    __slots__ = (
        "_forked",
        "_masks",
        "foreground",
        "key",
        "label",
        "lanes",
        "on",
        "outgoing_headers",
        "root",
        "span_id",
        "started_ns",
        "state",
    )

    def __init__(self, label: str, key: object, limit_bytes: int, *, masks: bool = False) -> None:
        self._masks = masks
        self.label = label
        self.key = key
        self.outgoing_headers: tuple[tuple[str, str], ...] = ()
        self.span_id = ""  # of no request
        self.started_ns = time.time_ns()
        self.state = ScopeState(limit_bytes)
        self.state.imports = True  # a module is imported once for the process, too
        self.root = Lane(self, "0", RECORD)
        self.lanes: list[Lane] = [self.root]
        self.on: RunningOn | None = None
        """What goes on of it though it has ended."""
        self.foreground: set[Lane] = set()
        """In which the server has the application start up."""
        self._forked = 1

    @property
    def cut(self) -> bool:
        """True where it was too large to be kept whole."""
        return self.state.cut

    @property
    def size_bytes(self) -> int:
        """How much memory it holds."""
        return self.state.size_bytes

    @property
    def masks(self) -> bool:
        """True where digests are recorded, since secrets in what is hashed will be masked.

        Other chapters than the boot are opened over and over: of what asks nothing of the world,
        and hashes only what it is given, nothing is recorded.
        """
        return self._masks and (self.label == BOOT or self.events > 0)

    @property
    def events(self) -> int:
        """How many events it has."""
        return sum(lane.events for lane in self.lanes)

    @property
    def has_digests(self) -> bool:
        """True where something was hashed in it."""
        return any(lane.hashes for lane in self.lanes)

    def spawn(self, parent: Lane, lane_id: str = "") -> Lane:
        """Return a new child lane of `parent`."""
        mode = self.root.mode if self.on is None else parent.mode
        lane = Lane(self, lane_id or parent.next_child_id(), mode)
        if lane.mode == RECORD and self.on is not None:
            self.on.spawned(lane)
        elif lane.mode == RECORD:
            self.lanes.append(lane)
        return lane

    def lane_ended(self, lane: Lane) -> None:
        """Take note of it where it goes on: a chapter ends with the block that opened it."""
        if self.on is not None:
            self.on.ended(lane)

    def handled(self, error: BaseException) -> None:
        """Do nothing: it is no failure of a request."""

    def close(self) -> None:
        """Switch its lanes off: what was started inside and goes on is not of the chapter."""
        for lane in self.lanes:
            lane.mode = OFF
        native.arm(-1)

    def forked(self) -> None:
        """Take note that this is a child process: of what was begun so far nothing runs in it."""
        self._forked = len(self.lanes)

    def end(self, here: Any, most_bytes: int) -> bool:
        """End the boot; what it began in the background may go on.

        Args:
            here: the lane in which the first request has come.
            most_bytes: how much memory what is asked from now on may hold.

        Returns:
            False where nothing goes on.
        """
        served = here.id if isinstance(here, Lane) and here.scope is self else ""
        running: list[Lane] = []
        for place, lane in enumerate(self.lanes):
            if place < self._forked or lane.ended:
                lane.mode = OFF
            elif lane in self.foreground or f"{served}.".startswith(f"{lane.id}."):
                lane.mode, lane.ended = OFF, True  # it is the server's
            else:
                running.append(lane)
        if not running:
            self.close()
            return False
        of_boot = (self.label, self.key, self.started_ns, self.state)
        lanes, self.lanes = self.lanes, []
        self.on = RunningOn(*of_boot, lanes, running, most_bytes)
        return True
