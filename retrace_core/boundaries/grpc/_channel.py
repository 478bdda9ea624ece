"""grpcio's synchronous client: calls of all four kinds, at the bytes that go over the wire.

Below the interceptors, which are the application's code. A call with one answer is one event
(or two, where it was begun as a future); a stream has one for each message. What ends a call
(status, details, metadata) is part of its last event, and `RpcError`s are made from it by
grpcio's own code. The iterator of a request stream runs in a lane of its own.

Hooks: `_blocking`, `future` and `__call__` of the multi-callables; what they return becomes a
subclass of grpcio's. Read in grpcio 1.66 to 1.85.
"""

from __future__ import annotations

import collections
import copy
import functools
import threading
from typing import TYPE_CHECKING, Any

import grpc
from grpc import _channel as channel  # pyright: ignore[reportAttributeAccessIssue]
from grpc._cython import cygrpc

from retrace_core.boundary import Boundary, Patch, call, in_replay, mask
from retrace_core.checksum import checksum_of
from retrace_core.http_clients.grpc_metadata import carried_metadata, refuse_in_replay
from retrace_core.lanes import Lane
from retrace_core.native import LANE, REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_METADATUM: Any = cygrpc._Metadatum
_CALL, _BEGIN, _NEXT, _STATE = "grpc.call", "grpc.begin", "grpc.message", "grpc.state"


def _with_metadata(lane: Any, args: Any, options: Any) -> tuple[Any, Any]:
    if len(args) > 1:  # timeout, metadata, ...
        return (args[0], carried_metadata(lane, args[1]), *args[2:]), options
    metadata = carried_metadata(lane, options.get("metadata"))
    return args, options if metadata is None else {**options, "metadata": metadata}


def _key(callable_: Any, request: Any, streamed: bool) -> object:
    method = callable_._method
    name = method.decode() if isinstance(method, bytes) else str(method)
    if streamed:
        return name  # its messages are produced while the call runs
    serializer = callable_._request_serializer
    try:
        data = request if serializer is None else serializer(request)
    except Exception:  # noqa: BLE001
        return name  # grpcio tells the application, again on replay
    return (name, checksum_of(data)) if isinstance(data, bytes) else name


# -- what a call has come to


def _pairs(metadata: Any) -> Any:
    return None if metadata is None else [[name, value] for name, value in metadata]


def _metadata(pairs: Any) -> Any:
    return None if pairs is None else tuple(_METADATUM(name, value) for name, value in pairs)


def _snapshot(state: Any, taken: Any) -> list[Any]:
    code = None if state.code is None else state.code.name
    answer = taken[0] if taken and code == "OK" else None
    ended = [_pairs(state.initial_metadata), _pairs(state.trailing_metadata), code, state.details]
    return [answer, *ended, state.debug_error_string]


def _apply(state: Any, snapshot: list[Any], deserialize: Callable[[bytes], Any]) -> None:
    answer, initial, trailing, code, details, debug = snapshot
    state.initial_metadata = _metadata(initial)
    if answer is not None:
        state.response = deserialize(answer)
    if code is None or state.code is not None:
        return
    state.trailing_metadata = _metadata(trailing)
    state.details, state.debug_error_string = details, debug
    state.code = grpc.StatusCode[code]
    callbacks, state.callbacks = state.callbacks, []
    for callback in callbacks or ():
        callback()


def _new_state() -> Any:
    return channel._RPCState((), None, None, None, None)


class _NoCall:
    """Stands for the call below a replayed one."""

    def cancel(self, *_: Any) -> None:
        """Cancel nothing."""


def _deserializer(callable_: Any) -> Callable[[bytes], Any]:
    given = callable_._response_deserializer
    return (lambda data: data) if given is None else given


def _capturing(callable_: Any) -> tuple[Any, collections.deque[bytes]]:
    """Return a copy of a multi-callable, and what keeps the bytes of its answers."""
    taken: collections.deque[bytes] = collections.deque()
    deserialize = _deserializer(callable_)

    def capture(data: bytes) -> Any:
        taken.append(data)
        return deserialize(data)

    copied = copy.copy(callable_)
    copied._response_deserializer = capture
    return copied, taken


# -- the requests of a stream


class _Requests:
    """The application's iterator of requests, run in a lane of its own by grpcio's thread."""

    def __init__(self, requests: Any, lane: Any) -> None:
        self._requests = iter(requests)
        self._lane = lane.spawn()
        self.ended = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        before = LANE.get()
        LANE.set(self._lane)
        try:
            return next(self._requests)
        except BaseException:
            self.end()
            raise
        finally:
            LANE.set(before)

    def end(self) -> None:
        self.ended = True
        self._lane.end()

    def produce(self) -> None:
        """Replay: run the iterator on a thread, as grpcio does, until the call has ended."""

        def run() -> None:
            LANE.set(self._lane)
            try:
                for _ in self._requests:
                    if self.ended:
                        return
            except Exception:  # noqa: BLE001
                return  # what it did to the call was recorded
            finally:
                LANE.set(None)
                self._lane.scope.lane_ending(self._lane)
                self.end()

        with mask():
            threading.Thread(target=run, daemon=True).start()


def _blocking(streamed: bool, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def _blocking(self: Any, request: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        args, options = _with_metadata(lane, args, options)
        if not isinstance(lane, Lane):
            refuse_in_replay(self._method)
            return original(self, request, *args, **options)
        key = _key(self, request, streamed)
        requests = _Requests(request, lane) if streamed else None
        if lane.mode == REPLAY:
            if requests is not None:
                requests.produce()
            snapshot = call(lane, _CALL, key, _nothing)
            state = _new_state()
            _apply(state, snapshot, _deserializer(self))
            answered = state, _NoCall()
        else:
            copied, taken = _capturing(self)
            live = functools.partial(original, copied, requests or request, *args, **options)
            answered = call(lane, _CALL, key, live, lambda pair: _snapshot(pair[0], taken))
        if requests is not None:
            requests.end()
        return answered

    return _blocking


def _nothing() -> Any:
    return None


def _begun(streamed: bool, original: Callable[..., Any]) -> Callable[..., Any]:
    """Hook a method that returns a rendezvous: a future, or the iterator of a stream."""

    @functools.wraps(original)
    def begin(self: Any, request: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        args, options = _with_metadata(lane, args, options)
        if not isinstance(lane, Lane):
            refuse_in_replay(self._method)
            return original(self, request, *args, **options)
        key = _key(self, request, streamed)
        requests = _Requests(request, lane) if streamed else None
        if lane.mode == REPLAY:
            call(lane, _BEGIN, key, _nothing)
            if requests is not None:
                requests.produce()
            deserialize, taken = _deserializer(self), collections.deque[bytes]()
            rendezvous = channel._MultiThreadedRendezvous(
                _new_state(), _NoCall(), deserialize, None
            )
        else:
            deserialize, (copied, taken) = _deserializer(self), _capturing(self)
            live = functools.partial(original, copied, requests or request, *args, **options)
            rendezvous = call(lane, _BEGIN, key, live, lambda _: None)
        if type(rendezvous) is channel._MultiThreadedRendezvous:
            rendezvous.__class__ = _MultiThreadedRendezvous
            rendezvous._retrace = (taken, deserialize, requests)
        return rendezvous

    return begin


class _MultiThreadedRendezvous(channel._MultiThreadedRendezvous):  # type: ignore[misc]
    """grpcio's handle of a call, whose answers and states are events."""

    _retrace: Any

    def _next(self) -> Any:
        lane = current()
        if lane is None:
            return super()._next()
        taken, deserialize, requests = self._retrace
        live: list[Any] = []

        def ask() -> list[Any]:
            try:
                live.append(super(_MultiThreadedRendezvous, self)._next())
            except (StopIteration, grpc.RpcError):
                return _snapshot(self._state, ())
            return [taken.popleft()]

        outcome = call(lane, _NEXT, None, ask)
        if len(outcome) == 1:
            return live[0] if live else deserialize(outcome[0])
        _apply(self._state, outcome, deserialize)
        if requests is not None:
            requests.end()
        if self._state.code is grpc.StatusCode.OK:
            raise StopIteration
        raise self

    def _known(self, name: str, *args: Any, **options: Any) -> Any:
        """Return what a method says once its answer is there, which is an event."""
        lane = current()
        method = getattr(super(), name)
        if lane is None:
            return None if in_replay() and self._state.code is None else method(*args, **options)
        taken, deserialize, requests = self._retrace

        def ask() -> Any:
            try:
                method(*args, **options)
            except grpc.FutureTimeoutError:
                return None
            except (grpc.RpcError, grpc.FutureCancelledError):
                pass
            return _snapshot(self._state, taken)

        snapshot = call(lane, _STATE, name, ask)
        if snapshot is None:
            raise grpc.FutureTimeoutError
        if lane.mode == REPLAY:
            _apply(self._state, snapshot, deserialize)
        if requests is not None and self._state.code is not None:
            requests.end()
        if name == "initial_metadata":
            return self._state.initial_metadata
        return method(*args, **options)

    def initial_metadata(self) -> Any:
        """Return the metadata that came first."""
        return self._known("initial_metadata")

    def trailing_metadata(self) -> Any:
        """Return the metadata that came last."""
        return self._known("trailing_metadata")

    def code(self) -> Any:
        """Return the status."""
        return self._known("code")

    def details(self) -> Any:
        """Return the status in words."""
        return self._known("details")

    def result(self, timeout: float | None = None) -> Any:
        """Return the answer."""
        return self._known("result", timeout)

    def exception(self, timeout: float | None = None) -> Any:
        """Return the error, or None."""
        return self._known("exception", timeout)

    def done(self) -> bool:
        """Return True when the call has ended."""
        lane = current()
        live = super().done
        return bool(live() if lane is None else call(lane, _STATE, "done", live))


_UNARY, _STREAM = channel._UnaryUnaryMultiCallable, channel._StreamUnaryMultiCallable

BOUNDARY = Boundary(
    kind="grpc",
    supports="grpcio>=1.66",
    hooks=(
        Patch(_UNARY, "_blocking", functools.partial(_blocking, False)),
        Patch(_UNARY, "future", functools.partial(_begun, False)),
        Patch(_STREAM, "_blocking", functools.partial(_blocking, True)),
        Patch(_STREAM, "future", functools.partial(_begun, True)),
        Patch(channel._UnaryStreamMultiCallable, "__call__", functools.partial(_begun, False)),
        Patch(channel._StreamStreamMultiCallable, "__call__", functools.partial(_begun, True)),
    ),
    errors=("grpc", "grpc._channel"),
)
