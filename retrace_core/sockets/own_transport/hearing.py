"""Hearing: what one recording hears of one connection.

A request has a lane for each time that the protocol is told something, in which its code then
runs. The start-up has one for all of it: what is told is found by its number on replay, and is
told again once as much was written as had been by then.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from retrace_core.boundary import spoil
from retrace_core.concurrency.loop_steps import answered
from retrace_core.native import RECORD, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from retrace_core.lanes import Lane

__all__ = ["HEARD", "MADE", "READABLE", "TLS", "WRITABLE", "Hearing", "is_of_chapter", "kind_of"]

MADE: Final = "transport.made"
HEARD: Final = "transport.heard"
TLS: Final = "transport.tls"
READABLE: Final = "socket.readable"
WRITABLE: Final = "socket.writable"
_KINDS: Final = {
    "connection_made": MADE,
    "tls_started": TLS,
    "readable": READABLE,
    "writable": WRITABLE,
}

_MOST: Final = 50_000
"""How often one connection tells a request something that is kept: its lanes take room."""
_serial = itertools.count(1)


def kind_of(what: str) -> str:
    """Return the kind of the event of what a protocol is told."""
    return _KINDS.get(what, HEARD)


def is_of_chapter(lane: Lane) -> bool:
    """Return True for a lane of the boot tape."""
    return hasattr(lane.scope, "label")


class Hearing:
    """What the recording of a lane hears of one connection.

    Args:
        lane: whose code opens it, or is the first of the recording to write to it.
        peer: where it leads, in words.
        hearing_id: by which replay knows it again; by default the lane's next.
    """

    __slots__ = (
        "_first",
        "_id",
        "_lane",
        "_numbers",
        "_own",
        "_peer",
        "_serial",
        "scope",
        "writes",
    )

    def __init__(self, lane: Lane, peer: str, hearing_id: str = "") -> None:
        self.scope = lane.scope
        self.writes = 0
        """How often something was written so far, or it was closed."""
        self._first, self._id, self._peer = lane, hearing_id or lane.next_future_id(), peer
        self._numbers = itertools.count()
        self._own: Lane | None = None
        self._lane: Lane | None = None
        """The lane of what is told now."""
        self._serial = next(_serial)
        if is_of_chapter(lane):
            self._own = lane.scope.spawn(lane, self._id)

    @property
    def is_on(self) -> bool:
        """False once its recording is over, or has no room for more."""
        if self._own is not None:
            return self._own.mode == RECORD
        return self._first.mode == RECORD and not self._first.state.cut

    @property
    def lane(self) -> Lane | None:
        """The lane of what is told now."""
        return self._own or self._lane

    def stays(self, lane: Lane | None) -> bool:
        """Return False where it ends because code of a lane uses the connection; None for others.

        So the start-up's does, as soon as a request uses it.
        """
        if self._own is not None and (lane is None or lane.scope is not self.scope):
            self._own.end()
            return False
        return self.is_on

    def note(self, what: str, value: object) -> Lane:
        """Take note of what the protocol is told; return the lane in which its code runs."""
        number = next(self._numbers)
        if self._own is not None:
            self._note_in_chapter(self._own, number, what, value)
            return self._own
        if number == _MOST:
            self._first.state.cut = True
        lane = self._lane = self.scope.spawn(self._first, f"{self._id}.{number}")
        self._record(lane, kind_of(what), None, [what, value])
        return lane

    def _note_in_chapter(self, lane: Lane, number: int, what: str, value: object) -> None:
        if number == 0:
            info = value if what == "connection_made" else None
            self._record(lane, MADE, [self._peer], [self._serial, info])
        if what != "connection_made":
            key = [self._serial, number]
            self._record(lane, HEARD, key, [what, value, self.writes])

    def _record(self, lane: Lane, kind: str, key: object, value: Any) -> None:
        if lane.mode != RECORD:
            return
        try:
            answered(lane, lane.record(kind, key, RETURNED, value, now_ns()))
        except Exception as fault:  # noqa: BLE001  # what is missing would replay wrong
            spoil(lane, kind, fault)

    def noted(self) -> None:
        """Take note that the protocol's code has run."""
        lane, self._lane = self._lane, None
        if lane is not None:
            lane.end()
