"""Client calls: a request's functions that a client calls, as Kafka's does of deliveries.

It calls them while it is polled. Where the request itself polls, a call is an event of the lane
that does, before the event of the poll, and what the function asks stands between the two. Where
others do (a thread that polls for the process, another request), it is an event in a lane of its
own, in which the function runs; on replay it is called in its turn, and needs nobody who polls.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from retrace_core import failsafe
from retrace_core.boundary import call, mask, spoil
from retrace_core.call_lanes import CallLanes
from retrace_core.native import LANE, RECORD, REPLAY, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.lanes import Lane

__all__ = ["ClientCalls", "polled"]

_CALLED: Final = "kafka.called"
"""Kind of the events, where the client's boundary names no other."""


class _Here(threading.local):
    polls: Lane | None = None


_here = _Here()
"""Of the thread: the lane that polls."""

_known: WeakKeyDictionary[Any, dict[str, ClientCalls]] = WeakKeyDictionary()
"""Of each replay, the functions that may be called while it polls."""


class ClientCalls:
    """A function of a request's that the client is given in its place.

    Args:
        lane: which hands it over.
        function: the request's own.
        packed: what it is called with, as a value of the codec.
        unpacked: and back.
        called: kind of the events.
    """

    def __init__(
        self,
        lane: Lane,
        function: Callable[..., Any],
        packed: Callable[[Any], object],
        unpacked: Callable[[Any], Any],
        called: str = _CALLED,
    ) -> None:
        self._lanes, self._called = CallLanes(lane), called
        self._function, self._packed, self._unpacked = function, packed, unpacked
        if lane.mode == REPLAY:
            _known.setdefault(lane.scope, {})[self._lanes.id] = self
            self._feed()

    def __call__(self, *args: Any) -> Any:
        """Call it, as the client does."""
        own, told = _here.polls, [self._lanes.id, args]
        if own is not None and own.scope is self._lanes.parent.scope:
            busy, own.busy = own.busy, 0
            try:
                self._note(own, told)
                return self._function(*args)
            finally:
                own.busy = busy
        lane = None
        with failsafe.gate("call a function of a request's"):
            lane = self._lanes.spawn()
        if lane is None:
            return self._function(*args)
        self._note(lane, told)
        polls, _here.polls = own, None
        token = LANE.set(lane if lane.mode == RECORD else None)
        try:
            return self._function(*args)
        finally:
            LANE.reset(token)
            _here.polls = polls
            lane.end()

    def again(self, args: Any) -> None:
        """Call it as it was called when recorded."""
        self._function(*self._unpacked(args))

    def _note(self, lane: Lane, called: list[Any]) -> None:
        if lane.mode == RECORD:
            try:
                lane.record(self._called, None, RETURNED, self._packed(called), now_ns())
            except Exception as fault:
                spoil(lane, self._called, fault)

    def _feed(self) -> None:
        if lanes := self._lanes.recorded():
            with mask():
                threading.Thread(target=self._call_in, args=(lanes,), daemon=True).start()

    def _call_in(self, lanes: list[Lane]) -> None:
        for lane in lanes:
            LANE.set(lane)
            try:
                called: Any = lane.scope.answer(lane, self._called, None)
                self.again(called[1])
            except Exception:  # noqa: BLE001, S110  # as it was for who had polled
                pass
            finally:
                LANE.set(None)
                lane.scope.lane_ending(lane)
                lane.end()


def polled(
    lane: Lane,
    kind: str,
    key: object,
    live: Callable[[], Any],
    packed: Callable[[Any], object],
    unpacked: Callable[[Any], Any],
    called: str = _CALLED,
) -> Any:
    """Return what `live` returns, as `boundary.call` does; functions are called meanwhile.

    Args: as there; `packed` and `unpacked` are for what functions are called with, too, which are
        events of the kind `called`.
    """
    if lane.mode == REPLAY:
        _call_again(lane, kind, key, live, called)
        return call(lane, kind, key, live, packed, unpacked)
    before, _here.polls = _here.polls, lane
    try:
        return call(lane, kind, key, live, packed, unpacked)
    finally:
        _here.polls = before


def _call_again(lane: Lane, kind: str, key: object, live: Callable[[], Any], called: str) -> None:
    """Make the recorded calls that come before the event of the poll."""
    scope = lane.scope
    while scope.comes(lane, called, None):
        told: Any = scope.answer(lane, called, None)
        function = _known.get(scope, {}).get(told[0])
        if function is None:
            raise scope.diverge(lane, called, told[0])
        try:
            function.again(told[1])
        except Exception as error:
            _take_failed(lane, kind, key, live)
            raise error


def _take_failed(lane: Lane, kind: str, key: object, live: Callable[[], Any]) -> None:
    try:
        call(lane, kind, key, live)
    except Exception:  # noqa: BLE001, S110  # what the function has raised now is raised on
        pass
