"""Memory object streams of anyio: what other work of the process sends to a request.

Hook: `send_nowait` of the sending end, to which `send` comes, its `close`, and `receive_nowait`
and `receive` of the other. What a request receives that none of its own lanes had sent is an
event, with its value (`handed_over`), and so is the stream's end, unless one of its own lanes
closed it. A task that serves many requests gets no lane for each item, as it does with
`asyncio.Queue`. Read in anyio 4.0 to 4.16.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from typing import TYPE_CHECKING, Any

from anyio import EndOfStream, WouldBlock
from anyio.streams import memory

from retrace_core import failsafe
from retrace_core.boundary import Boundary, Patch, record_error
from retrace_core.concurrency.handed_over import (
    HANDED_OVER,
    is_packed,
    note_handed_over,
    unpack_handed_over,
)
from retrace_core.concurrency.item_lanes import CARRIED, PARCELS, hand_over, is_own, take_out
from retrace_core.concurrency.ordering import is_infrastructure, note_got
from retrace_core.lanes import Lane
from retrace_core.native import RECORD, REPLAY, current, now_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import FrameType

_KEY = "anyio.receive"
_CLOSED_IN = "_retrace_closed_in"
"""Attribute of a stream's state: the lane that closed the last of its sending ends."""
_RECEIVE_NOWAIT: Callable[[Any], Any] = memory.MemoryObjectReceiveStream.receive_nowait
_SEND = memory.MemoryObjectSendStream.send.__code__
_RECEIVE = memory.MemoryObjectReceiveStream.receive.__code__


def _sending(send_nowait: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    @functools.wraps(send_nowait)
    def send(self: Any, item: Any) -> None:
        lane = current()
        state = self._state
        if lane is None and not (CARRIED and PARCELS in state.__dict__):
            return send_nowait(self, item)
        waits = sys._getframe(1).f_code is _SEND
        try:
            send_nowait(self, item)
        except WouldBlock:
            if waits:  # it will be there once there is room
                _put(state, item, lane)
            raise
        _put(state, item, lane)
        return None

    return send


def _put(state: Any, item: object, lane: Any) -> None:
    with failsafe.gate("send to a memory stream"):
        hand_over(state, item, lane if isinstance(lane, Lane) else None)


def _closing(close: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(close)
    def closed(self: Any) -> None:
        close(self)
        lane = current()
        if isinstance(lane, Lane) and self._state.open_send_channels == 0:
            vars(self._state).setdefault(_CLOSED_IN, lane)

    return closed


def _is_own_end(self: Any, lane: Lane, error: BaseException) -> bool:
    """Return True where a stream's end comes of what the request did itself."""
    closer = vars(self._state).get(_CLOSED_IN)
    return isinstance(error, EndOfStream) and closer is not None and closer.scope is lane.scope


def _receiving_nowait(receive_nowait: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(receive_nowait)
    def received(self: Any) -> Any:
        frame = sys._getframe(1)
        lane = _lane(self, frame)
        if lane is None or frame.f_code is _RECEIVE:
            return receive_nowait(self)
        if lane.mode == REPLAY and lane.scope.is_handed_over(lane, _KEY):
            return _given(self, lane.scope.answer(lane, HANDED_OVER, _KEY))
        start_ns = now_ns()
        try:
            item = receive_nowait(self)
        except (WouldBlock, EndOfStream) as error:
            _failed(self, error, lane, start_ns)
            raise
        return _taken(self, item, lane, start_ns)

    return received


def _receiving(receive: Callable[[Any], Coroutine[Any, Any, Any]]) -> Callable[[Any], Any]:
    @functools.wraps(receive)
    def receiving(self: Any) -> Coroutine[Any, Any, Any]:
        frame = sys._getframe(1)
        if frame.f_code.co_name == "__anext__" and frame.f_back is not None:
            frame = frame.f_back
        if _lane(self, frame) is not None:
            return _receive_in_lane(receive, self)
        if CARRIED and PARCELS in self._state.__dict__:
            return _receive_outside(receive, self)
        return receive(self)

    return receiving


async def _receive_in_lane(receive: Callable[[Any], Any], self: Any) -> Any:
    lane = current()
    if not isinstance(lane, Lane):
        return await receive(self)
    if lane.mode == REPLAY and lane.scope.is_handed_over(lane, _KEY):
        return _given(self, await lane.scope.answer_async(lane, HANDED_OVER, _KEY))
    start_ns = now_ns()
    try:
        item = await receive(self)
    except (EndOfStream, asyncio.CancelledError) as error:
        _failed(self, error, lane, start_ns)
        raise
    return _taken(self, item, lane, start_ns)


async def _receive_outside(receive: Callable[[Any], Any], self: Any) -> Any:
    item = await receive(self)
    take_out(self._state, item)
    return item


def _lane(self: Any, frame: FrameType) -> Lane | None:
    lane = current()
    return lane if isinstance(lane, Lane) and not is_infrastructure(frame.f_code) else None


def _taken(self: Any, item: Any, lane: Lane, start_ns: int) -> Any:
    with failsafe.gate("receive from a memory stream"):
        parcel = take_out(self._state, item)
        if lane.mode == REPLAY:
            lane.scope.got(lane)
        elif is_own(parcel, lane):
            note_got(lane, start_ns)
        else:
            note_handed_over(lane, _KEY, item, start_ns)
    return item


def _failed(self: Any, error: BaseException, lane: Lane, start_ns: int) -> None:
    with failsafe.gate("receive from a memory stream"):
        if _is_own_end(self, lane, error):
            if lane.mode == REPLAY:
                lane.scope.got(lane)
            else:
                note_got(lane, start_ns)
        elif lane.mode == RECORD:
            record_error(lane, HANDED_OVER, _KEY, error, start_ns)


def _given(self: Any, packed: Any) -> Any:
    """Return what was handed over when recorded; where the stream has the same, that one."""
    buffer = self._state.buffer
    if buffer and is_packed(buffer[0], packed):
        item = _RECEIVE_NOWAIT(self)
        take_out(self._state, item)
        return item
    return unpack_handed_over(packed)


BOUNDARY = Boundary(
    kind="task",
    supports="anyio>=4.0",
    hooks=(
        Patch(memory.MemoryObjectSendStream, "send_nowait", _sending),
        Patch(memory.MemoryObjectSendStream, "close", _closing),
        Patch(memory.MemoryObjectReceiveStream, "receive_nowait", _receiving_nowait),
        Patch(memory.MemoryObjectReceiveStream, "receive", _receiving),
    ),
    errors=("anyio",),
)
