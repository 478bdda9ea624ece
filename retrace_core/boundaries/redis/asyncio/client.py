"""redis-py for asyncio: one event for each command, pipeline, and message of a subscription.

The hooks are those of the sync client. Besides them, what can suspend is an event too: closing
a client or a subscription, and giving a pipeline's connection back. Read in redis-py 5 to 8.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from redis.asyncio.client import Pipeline, PubSub, Redis
from redis.exceptions import WatchError

from retrace_core.boundary import Boundary, Patch, attempt_async, call_async, mask
from retrace_core.native import REPLAY, current
from retrace_core.redis_commands import (
    ask_async,
    command_key,
    in_database,
    note_watch,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Async = Callable[..., Awaitable[Any]]

_COMMAND, _PIPELINE = "redis.command", "redis.pipeline"
_SUBSCRIBE, _MESSAGE = "redis.pubsub", "redis.message"


def _hooked_command(original: Async) -> Async:
    @functools.wraps(original)
    async def execute_command(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return await original(self, *args, **options)
        live = functools.partial(original, self, *args, **options)
        return await ask_async(lane, _COMMAND, in_database(self, command_key(args)), live)

    return execute_command


def _hooked_immediate(original: Async) -> Async:
    @functools.wraps(original)
    async def immediate_execute_command(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return await original(self, *args, **options)
        live = functools.partial(original, self, *args, **options)
        try:
            key = in_database(self, command_key(args))
            reply = await ask_async(lane, _COMMAND, key, live)
        except WatchError:
            if lane.mode == REPLAY:
                with mask():  # as it does when the connection that watches is lost
                    await self.reset()
            raise
        if lane.mode == REPLAY:
            note_watch(self, args[0])
        return reply

    return immediate_execute_command


def _hooked_execute(original: Async) -> Async:
    @functools.wraps(original)
    async def execute(self: Any, raise_on_error: bool = True) -> Any:
        lane = current()
        stack = self.command_stack
        if lane is None or (not stack and not self.watching):
            return await original(self, raise_on_error)
        transacts = bool(self.is_transaction or self.explicit_transaction)
        asked = ["MULTI" if transacts else "PIPELINE", *(command_key(args) for args, _ in stack)]
        live = functools.partial(original, self, raise_on_error)
        try:
            key = in_database(self, asked)
            return await ask_async(lane, _PIPELINE, key, live)
        finally:
            if lane.mode == REPLAY:
                with mask():
                    await self.reset()

    return execute


def _hooked_initialize(original: Async) -> Async:
    @functools.wraps(original)
    async def initialize(self: Any) -> Any:
        lane = current()
        if lane is None or not self.single_connection_client:
            return await original(self)
        return await attempt_async(
            lane, "redis.connect", None, lambda: original(self), lambda: self
        )

    return initialize


def _closing(kind: str) -> Callable[[Async], Async]:
    def hooked(original: Async) -> Async:
        @functools.wraps(original)
        async def close(self: Any, *args: Any, **options: Any) -> Any:
            lane = current()
            live = functools.partial(original, self, *args, **options)
            if lane is None:
                return await live()
            if lane.mode == REPLAY:
                with mask():  # it has no connection to close, but its own state to clear
                    await live()
            return await call_async(lane, kind, None, live)

        return close

    return hooked


def _hooked_subscribe(original: Async) -> Async:
    @functools.wraps(original)
    async def execute_command(self: Any, *args: Any) -> Any:
        lane = current()
        if lane is None:
            return await original(self, *args)
        return await ask_async(lane, _SUBSCRIBE, command_key(args), lambda: original(self, *args))

    return execute_command


def _hooked_message(original: Async) -> Async:
    @functools.wraps(original)
    async def parse_response(self: Any, block: bool = True, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return await original(self, block, **options)
        live = functools.partial(original, self, block, **options)
        return await ask_async(lane, _MESSAGE, bool(block), live)

    return parse_response


BOUNDARY = Boundary(
    kind="redis",
    supports="redis>=5.0.1",
    hooks=(
        Patch(Redis, "execute_command", _hooked_command),
        Patch(Redis, "initialize", _hooked_initialize),
        Patch(Redis, "aclose", _closing("redis.close")),
        Patch(Pipeline, "immediate_execute_command", _hooked_immediate),
        Patch(Pipeline, "execute", _hooked_execute),
        Patch(Pipeline, "reset", _closing("redis.reset")),
        Patch(PubSub, "execute_command", _hooked_subscribe),
        Patch(PubSub, "parse_response", _hooked_message),
        Patch(PubSub, "aclose", _closing("redis.close")),
    ),
    errors=("redis.exceptions",),
)
