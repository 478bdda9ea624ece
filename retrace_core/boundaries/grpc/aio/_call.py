"""grpc.aio: calls of all four kinds, at the bytes that go over the wire.

Each call runs in tasks that grpcio creates, which have lanes of their own, the application's
iterator of requests too. Recorded is what these tasks ask of the call below, which is made of
C: its answers, messages and status. Errors are made from them by grpcio's own code.

Hooks: `Call.__init__`, for the call below; `__init__` of the four kinds, for their method;
`Call.__del__`, which runs whenever the collector does. Read in grpcio 1.66 to 1.85.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, cast

import grpc
from grpc._cython import cygrpc
from grpc.aio import _call as calls  # pyright: ignore[reportAttributeAccessIssue]

from retrace_core.boundary import Boundary, Patch, call, call_async, in_replay, mask, spoil
from retrace_core.checksum import checksum_of
from retrace_core.concurrency.loop_steps import answered
from retrace_core.http_clients.grpc_metadata import carried_metadata, refuse_in_replay
from retrace_core.native import REPLAY, current, now_ns
from retrace_core.recording import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.lanes import Lane

_CALL, _BEGIN, _MESSAGE, _STATE = "grpc.call", "grpc.begin", "grpc.message", "grpc.state"
_SEND, _SENT = "grpc.send", "metadata_sent"
_METHOD = "_retrace_method"


async def _nothing() -> Any:
    return None


def _said(status: Any) -> list[Any] | None:
    if status is None:
        return None
    pairs = [[*pair] for pair in status.trailing_metadata() or ()]
    return [status.code(), status.details(), pairs, status.debug_error_string()]


def _status(said: list[Any]) -> Any:
    code, details, pairs, debug = said
    return cygrpc.AioRpcStatus(code, details, tuple(map(tuple, pairs)), debug)


class _RecordedCall:
    """The call below: asks it, or on replay what was recorded of it."""

    def __init__(self, live: Any, method: str) -> None:
        self._live = live
        self._method = method
        self._initial: Any = None
        self._ended: Any = None
        self._cancelled_here = False
        self._callbacks: list[Callable[[], None]] = []

    # -- what is asked

    async def unary_unary(self, request: bytes, metadata: Any, context: Any = None) -> Any:
        live = functools.partial(self._live.unary_unary, request, metadata, context)
        return await self._answer((self._method, checksum_of(request)), live)

    async def stream_unary(self, metadata: Any, sent: Any, context: Any = None) -> Any:
        sent = await self._telling_when(sent, _CALL)
        live = functools.partial(self._live.stream_unary, metadata, sent, context)
        return await self._answer(self._method, live)

    async def initiate_unary_stream(
        self, request: bytes, metadata: Any, context: Any = None
    ) -> None:
        live = functools.partial(self._live.initiate_unary_stream, request, metadata, context)
        await self._ask(_BEGIN, (self._method, checksum_of(request)), live)

    async def initiate_stream_stream(self, metadata: Any, sent: Any, context: Any = None) -> None:
        sent = await self._telling_when(sent, _BEGIN)
        live = functools.partial(self._live.initiate_stream_stream, metadata, sent, context)
        await self._ask(_BEGIN, self._method, live)

    async def send_serialized_message(self, message: bytes) -> None:
        live = functools.partial(self._live.send_serialized_message, message)
        await self._ask(_SEND, checksum_of(message), live)

    async def send_receive_close(self) -> None:
        await self._ask(_SEND, None, self._live.send_receive_close)

    async def receive_serialized_message(self) -> Any:
        async def read() -> Any:
            message = await self._live.receive_serialized_message()
            return None if message is cygrpc.EOF else message

        message = await self._ask(_MESSAGE, None, read)
        return cygrpc.EOF if message is None else message

    async def initial_metadata(self) -> Any:
        async def read() -> Any:
            return [[*pair] for pair in await self._live.initial_metadata() or ()]

        self._initial = tuple(map(tuple, await self._ask(_STATE, "initial_metadata", read)))
        return self._initial

    async def status(self) -> Any:
        async def read() -> Any:
            return _said(await self._live.status())

        self._end(_status(await self._ask(_STATE, "status", read)))
        return self._ended

    async def _telling_when(self, sent: Callable[[], None], kind: str) -> Callable[[], None]:
        """Return `sent` so that it is recorded when the call below calls it; on replay call it.

        Who sends a request waits for it only where it comes later than the request.
        """
        lane = current()
        if lane is None:
            return sent
        if lane.mode == REPLAY:
            scope = cast("Lane", lane).scope
            if scope.comes(cast("Lane", lane), _STATE, _SENT):
                await self._ask(_STATE, _SENT, _nothing)
            elif scope.failure_comes(cast("Lane", lane), kind):
                return sent  # it failed before
            sent()  # also for a recording of before this was an event
            return sent

        def noted() -> None:
            try:
                answered(cast("Lane", lane), lane.record(_STATE, _SENT, RETURNED, None, now_ns()))
            except Exception as error:
                spoil(lane, _STATE, error)
            sent()

        return noted

    async def _ask(self, kind: str, key: object, live: Callable[[], Any]) -> Any:
        lane = current()
        return await live() if lane is None else await call_async(lane, kind, key, live)

    async def _answer(self, key: object, live: Callable[[], Any]) -> Any:
        async def ask() -> list[Any]:
            answer = await live()
            initial = [[*pair] for pair in self._live._initial_metadata or ()]
            return [None if answer is cygrpc.EOF else answer, initial, _said(self._live._status)]

        answer, initial, said = await self._ask(_CALL, key, ask)
        self._initial = tuple(map(tuple, initial))
        if said is not None:
            self._end(_status(said))
        return cygrpc.EOF if answer is None else answer

    # -- what is known

    @property
    def _initial_metadata(self) -> Any:
        return self._initial

    @property
    def _status(self) -> Any:
        return self._ended or self._live._status

    def done(self) -> bool:
        lane = current()
        if lane is None:
            return self._ended is not None if in_replay() else bool(self._live.done())
        return bool(call(lane, _STATE, "done", self._live.done))

    def is_ok(self) -> bool:
        if self._ended is None:
            return bool(self._live.is_ok())
        return bool(self._ended.code() == grpc.StatusCode.OK.value[0])

    def cancelled(self) -> bool:
        if self._ended is None and not in_replay():
            return bool(self._live.cancelled())
        return self._ended is not None and self._ended.code() == _CANCELLED

    def is_locally_cancelled(self) -> bool:
        return self._cancelled_here

    def cancel(self, details: str) -> None:
        self._cancelled_here = True
        if not in_replay():
            self._live.cancel(details)
        if self._ended is None:
            self._end(cygrpc.AioRpcStatus(_CANCELLED, details, None, None))

    def set_internal_error(self, details: str) -> None:
        if not in_replay():
            self._live.set_internal_error(details)

    def add_done_callback(self, callback: Callable[[], None]) -> None:
        if not in_replay():
            self._live.add_done_callback(callback)
        elif self._ended is not None:
            callback()
        else:
            self._callbacks.append(callback)

    def _end(self, status: Any) -> None:
        if self._ended is None:
            self._ended = status
            callbacks, self._callbacks = self._callbacks, []
            for callback in callbacks:
                callback()

    def time_remaining(self) -> Any:
        return self._live.time_remaining()

    def __repr__(self) -> str:
        return repr(self._live)


_CANCELLED = grpc.StatusCode.CANCELLED.value[0]


def _hooked_call(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def __init__(self: Any, cython_call: Any, metadata: Any, *rest: Any) -> None:
        lane = current()
        if lane is not None:
            cython_call = _RecordedCall(cython_call, getattr(self, _METHOD, "?"))
        else:
            refuse_in_replay(type(self).__name__)
        original(self, cython_call, carried_metadata(lane, metadata), *rest)

    return __init__


def _hooked_kind(original: Callable[..., None]) -> Callable[..., None]:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **options: Any) -> None:
        if current() is not None:
            method = signature.bind(self, *args, **options).arguments["method"]
            setattr(self, _METHOD, method.decode() if isinstance(method, bytes) else method)
        original(self, *args, **options)

    return __init__


def _hooked_del(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def __del__(self: Any) -> None:
        with mask():  # whenever the collector runs, in whoever's lane that is
            original(self)

    return __del__


BOUNDARY = Boundary(
    kind="grpc",
    supports="grpcio>=1.66",
    hooks=(
        Patch(calls.Call, "__init__", _hooked_call),
        Patch(calls.Call, "__del__", _hooked_del),
        Patch(calls.UnaryUnaryCall, "__init__", _hooked_kind),
        Patch(calls.UnaryStreamCall, "__init__", _hooked_kind),
        Patch(calls.StreamUnaryCall, "__init__", _hooked_kind),
        Patch(calls.StreamStreamCall, "__init__", _hooked_kind),
    ),
    errors=("grpc", "grpc.aio", "grpc.aio._call", cygrpc.UsageError, cygrpc.InternalError),
)
