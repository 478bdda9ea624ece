"""Item lanes: the work on an item of a queue is in a lane of who put the item there.

A thread that writes for everybody, say, was started by an earlier request, or by none. From the
moment it has got an item until it asks the same queue for the next one, it works in a lane of
the request that had put the item there; so the request's recording has what that work asked.

Only threads that are nobody else's take such a lane up: none of a server or of a pool, none in
the midst of a request (which may get a pooled connection from a queue), and no event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe
from retrace_core.concurrency.carrying import begin
from retrace_core.concurrency.server_threads import serves_process
from retrace_core.lanes import Lane
from retrace_core.native import LANE, OFF, RECORD, REPLAY, bind_thread

if TYPE_CHECKING:
    from contextvars import Token
    from types import FrameType

    from retrace_core import native

__all__ = [
    "CARRIED",
    "PARCELS",
    "Parcel",
    "hand_over",
    "is_own",
    "parcel_of",
    "put_down",
    "take_out",
    "take_up",
]

PARCELS = "_retrace_parcels"
"""Attribute of a queue: what was put there in a lane, and is there still."""

CARRIED: list[None] = []
"""Not empty once a lane has put anything into any queue; looking at it costs a process that
records nothing a few nanoseconds."""

_SHARED = (type(None), bool, int, float, str, bytes)
"""Of these the very same object may be in a queue several times."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """An item in a queue, and whose it is."""

    item: object
    parent: Lane | None
    """Who put it there; None: nobody, and the same object was put there by a lane too."""
    lane_id: str = ""
    """Of the lane for the work on it."""
    lane: Lane | None = None
    """That lane, on replay, which waits for its end from the start."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What a thread has got from a queue and works on."""

    queue: object
    lane: Lane
    token: Token[native.Lane | None]
    bound: tuple[Any, Any]


class _Here(threading.local):
    work: _Work | None = None


_here = _Here()


def hand_over(queue: Any, item: object, parent: Lane | None) -> None:
    """Note that `parent`, or nobody, has put an item into a queue of threads, which is locked, or
    into one of tasks.
    """
    parcels: list[Parcel] | None = vars(queue).get(PARCELS)
    if parent is None:
        if parcels and any(parcel.item is item for parcel in parcels):
            parcels.append(Parcel(item, None))
        return
    if parcels is None:
        parcels = vars(queue)[PARCELS] = []
    if isinstance(item, _SHARED):
        contents: Any = getattr(queue, "queue", None) or getattr(queue, "_queue", ())
        others = sum(other is item for other in contents) - 1
        known = sum(parcel.item is item for parcel in parcels)
        parcels.extend([Parcel(item, None)] * (others - known))
    parcels.append(parcel_of(item, parent))


def parcel_of(item: object, parent: Lane) -> Parcel:
    """Return the parcel of an item that a lane puts into a queue."""
    if not CARRIED:
        CARRIED.append(None)
    lane_id = parent.next_item_id()
    lane = parent.scope.expect(parent, lane_id) if parent.mode == REPLAY else None
    return Parcel(item, parent, lane_id, lane)


def take_out(queue: Any, item: object) -> Parcel | None:
    """Return whose the item is that was got from a queue, which is locked; None: nobody's."""
    parcels: list[Parcel] | None = vars(queue).get(PARCELS)
    if parcels:
        for place, parcel in enumerate(parcels):
            if parcel.item is item:
                return parcels.pop(place)
    return None


def is_own(parcel: Parcel | None, lane: Lane) -> bool:
    """Return True where an item was put into its queue by a lane of the same request."""
    return parcel is not None and parcel.parent is not None and parcel.parent.scope is lane.scope


def take_up(queue: Any, parcel: Parcel, frame: FrameType) -> None:
    """Work on an item in its lane from here on, where this thread is nobody else's.

    Args:
        queue: where it was got from.
        parcel: what `take_out` returned.
        frame: of the code that got it.
    """
    parent = parcel.parent
    if parent is None or parent.mode not in (RECORD, REPLAY) or not _is_free(parent, frame):
        return
    with failsafe.gate("take up an item"):
        lane = parcel.lane
        if parent.mode == RECORD:
            lane = parent.scope.spawn(parent, parcel.lane_id)
        if lane is not None and lane.mode != OFF:
            bound = bind_thread(parent, lane)
            _here.work = _Work(queue, lane, LANE.set(lane), bound)
            begin(lane)


def put_down(queue: object) -> None:
    """End the work on an item of this queue, if any: the thread asks for the next one."""
    work = _here.work
    if work is None or work.queue is not queue:
        return
    with failsafe.gate("put down an item"):
        _here.work = None
        with contextlib.suppress(ValueError):  # got in another context, which is gone
            LANE.reset(work.token)
        bind_thread(*work.bound)
        if work.lane.mode == REPLAY:
            work.lane.scope.lane_ending(work.lane)
        work.lane.end()


def _is_free(parent: Lane, frame: FrameType) -> bool:
    """Return True when the thread does no other request's work."""
    own, thread = LANE.get(), threading.current_thread()
    if _here.work is not None or asyncio._get_running_loop() is not None:
        return False
    if isinstance(own, Lane) and own.mode != OFF and (own.id == "0" or own.scope is parent.scope):
        return False
    if thread is threading.main_thread() or serves_process(thread):
        return False
    caller: FrameType | None = frame
    while caller is not None:
        if caller.f_globals.get("__name__", "").startswith("retrace_mw."):
            return False  # a request that is not recorded
        caller = caller.f_back
    return True
