"""Exchanges: what pymongo's connections send and receive, as events.

An event for each answer, keyed by what was asked. Hooks: `send_message` and `receive_message`,
below sessions, retries, cursors and the decoding of documents, all of which run on replay;
`connect` of the pool and `authenticate`, which are no request's business unless they fail.
"""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from pymongo.errors import AutoReconnect
from pymongo.message import _OpMsg

from retrace_core.boundary import (
    attempt,
    attempt_async,
    call,
    call_async,
    in_replay,
    mask,
    record_error,
    spoil,
)
from retrace_core.databases.mongodb.documents import from_plain, plain_document
from retrace_core.databases.mongodb.messages import Question, question_of
from retrace_core.databases.mongodb.stub import StubSocket, StubSocketAsync, is_stub
from retrace_core.databases.mongodb.topology import hello_of
from retrace_core.native import REPLAY, current, now_ns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from retrace_core import native

__all__ = [
    "authenticating",
    "authenticating_async",
    "connecting",
    "connecting_async",
    "is_open",
    "opening",
    "opening_async",
    "receiving",
    "receiving_async",
    "sending",
    "sending_async",
]

_COMMAND, _SEND, _CONNECT = "pymongo.command", "pymongo.send", "pymongo.connect"
_FURTHER = "further"
"""The key of an answer that comes without a question: the next batch of an exhaust cursor."""
_asked: ContextVar[Any] = ContextVar("asked", default=None)
"""What was sent last, until its answer is read."""


def _packed(reply: Any) -> list[Any]:
    return [reply.flags, plain_document(reply.payload_document)]


def _unpacked(recorded: Any) -> Any:
    flags, document = recorded
    return _OpMsg(flags, from_plain(document))


def _question(lane: native.Lane, message: bytes) -> Question:
    try:
        return question_of(message)
    except Exception as fault:
        spoil(lane, _COMMAND, fault)
        return Question({}, unacknowledged=False)


def _take_key() -> Any:
    key = _asked.get()
    _asked.set(None)
    return _FURTHER if key is None else key


def _unasked(connection: Any) -> Any:
    """Return what a stub answers outside of all lanes: its greeting, and yes to all else."""
    return _OpMsg(0, hello_of(connection.address))


def sending(original: Callable[..., None]) -> Callable[..., None]:
    """Return what sends, and notes what is asked; it fails as it did.

    That is `Connection.send_message`, and `sendall` of pymongo before 4.18.
    """

    @functools.wraps(original)
    def send_message(self: Any, message: bytes, *rest: Any) -> None:
        lane = current()
        if lane is None:
            if not is_stub(self):
                original(self, message, *rest)
            return
        key, unacknowledged = _question(lane, message)
        live = functools.partial(original, self, message, *rest)
        if unacknowledged:
            call(lane, _SEND, key, live)
            return
        if lane.mode != REPLAY:
            start_ns = now_ns()
            try:
                with mask():
                    live()
            except BaseException as error:
                record_error(lane, _COMMAND, key, error, start_ns)
                raise
        _asked.set(key)

    return send_message


def sending_async(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Return what `sending` does, for asyncio."""

    @functools.wraps(original)
    async def send_message(self: Any, message: bytes, *rest: Any) -> None:
        lane = current()
        if lane is None:
            if not is_stub(self):
                await original(self, message, *rest)
            return
        key, unacknowledged = _question(lane, message)
        live = functools.partial(original, self, message, *rest)
        if unacknowledged:
            await call_async(lane, _SEND, key, live)
            return
        if lane.mode != REPLAY:
            start_ns = now_ns()
            try:
                with mask():
                    await live()
            except BaseException as error:
                record_error(lane, _COMMAND, key, error, start_ns)
                raise
        _asked.set(key)

    return send_message


def receiving(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return what receives, whose answers are events.

    That is `Connection.receive_message`, and before 4.18 the function of that name as well.
    """

    @functools.wraps(original)
    def receive_message(self: Any, request_id: int | None, *rest: Any) -> Any:
        lane = current()
        if lane is None:
            return _unasked(self) if is_stub(self) else original(self, request_id, *rest)
        live = functools.partial(original, self, request_id, *rest)
        try:
            return call(lane, _COMMAND, _take_key(), live, _packed, _unpacked)
        except AutoReconnect:
            if is_stub(self):
                with mask():  # as the live one was
                    self.close_conn("error")
            raise

    return receive_message


def receiving_async(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return what `receiving` does, for asyncio."""

    @functools.wraps(original)
    async def receive_message(self: Any, request_id: int | None, *rest: Any) -> Any:
        lane = current()
        if lane is None:
            return _unasked(self) if is_stub(self) else await original(self, request_id, *rest)
        live = functools.partial(original, self, request_id, *rest)
        try:
            return await call_async(lane, _COMMAND, _take_key(), live, _packed, _unpacked)
        except AutoReconnect:
            if is_stub(self):
                with mask():
                    await self.close_conn("error")
            raise

    return receive_message


def connecting(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return `Pool.connect` of which only a failure is an event."""

    @functools.wraps(original)
    def connect(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        live = functools.partial(original, self, *args, **kwargs)
        if lane is None:
            return live()

        def stub() -> Any:
            with mask():
                return live()

        return attempt(lane, _CONNECT, list(self.address), live, stub)

    return connect


def connecting_async(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return what `connecting` does, for the asyncio pool."""

    @functools.wraps(original)
    async def connect(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        live = functools.partial(original, self, *args, **kwargs)
        if lane is None:
            return await live()
        made = await attempt_async(lane, _CONNECT, list(self.address), live)
        if lane.mode != REPLAY:
            return made
        with mask():
            return await live()

    return connect


def opening(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return what opens a socket, and in a replay opens none."""

    @functools.wraps(original)
    def opened(*args: Any, **kwargs: Any) -> Any:
        return StubSocket() if in_replay() else original(*args, **kwargs)

    return opened


def opening_async(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return what `opening` does, for asyncio."""

    @functools.wraps(original)
    async def opened(*args: Any, **kwargs: Any) -> Any:
        return StubSocketAsync() if in_replay() else await original(*args, **kwargs)

    return opened


def authenticating(original: Callable[..., None]) -> Callable[..., None]:
    """Return `Connection.authenticate`; a stub takes everybody in."""

    @functools.wraps(original)
    def authenticate(self: Any, *args: Any, **kwargs: Any) -> None:
        if is_stub(self):
            self.ready = True
        else:
            original(self, *args, **kwargs)

    return authenticate


def authenticating_async(
    original: Callable[..., Awaitable[None]],
) -> Callable[..., Awaitable[None]]:
    """Return what `authenticating` does, for `AsyncConnection`."""

    @functools.wraps(original)
    async def authenticate(self: Any, *args: Any, **kwargs: Any) -> None:
        if is_stub(self):
            self.ready = True
        else:
            await original(self, *args, **kwargs)

    return authenticate


def is_open(original: Callable[..., bool]) -> Callable[..., bool]:
    """Return `Connection.conn_closed`, which a stub never is by itself."""

    @functools.wraps(original)
    def conn_closed(self: Any) -> bool:
        return False if is_stub(self) else original(self)

    return conn_closed
