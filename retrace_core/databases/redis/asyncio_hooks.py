"""Asyncio hooks: redis-py and valkey: an event for each command, pipeline and message.

The hooks are those of the sync client. Besides them, what can suspend is an event too: closing
a client or a subscription, and giving a pipeline's connection back. Until redis-py 5 `aclose` has
the name `close`, and of a subscription `reset`. Read in redis-py 4.6 to 8 and in valkey 6.1 and
6.2, its fork.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, attempt_async, call_async, mask
from retrace_core.databases.redis.commands import (
    ask_async,
    command_key,
    in_database,
    note_watch,
)
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Async = Callable[..., Awaitable[Any]]

__all__ = ["asyncio_client_boundary"]


def _hooked_command(kind: str, original: Async) -> Async:
    @functools.wraps(original)
    async def execute_command(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return await original(self, *args, **options)
        live = functools.partial(original, self, *args, **options)
        return await ask_async(lane, kind, in_database(self, command_key(args)), live)

    return execute_command


def _hooked_immediate(kind: str, watch_error: type[Exception], original: Async) -> Async:
    @functools.wraps(original)
    async def immediate_execute_command(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return await original(self, *args, **options)
        live = functools.partial(original, self, *args, **options)
        try:
            key = in_database(self, command_key(args))
            reply = await ask_async(lane, kind, key, live)
        except watch_error:
            if lane.mode == REPLAY:
                with mask():  # as it does when the connection that watches is lost
                    await self.reset()
            raise
        if lane.mode == REPLAY:
            note_watch(self, args[0])
        return reply

    return immediate_execute_command


def _hooked_execute(kind: str, original: Async) -> Async:
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
            return await ask_async(lane, kind, key, live)
        finally:
            if lane.mode == REPLAY:
                with mask():
                    await self.reset()

    return execute


def _hooked_initialize(kind: str, original: Async) -> Async:
    @functools.wraps(original)
    async def initialize(self: Any) -> Any:
        lane = current()
        if lane is None or not self.single_connection_client:
            return await original(self)
        return await attempt_async(lane, kind, None, lambda: original(self), lambda: self)

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


def _hooked_subscribe(kind: str, original: Async) -> Async:
    @functools.wraps(original)
    async def execute_command(self: Any, *args: Any) -> Any:
        lane = current()
        if lane is None:
            return await original(self, *args)
        return await ask_async(lane, kind, command_key(args), lambda: original(self, *args))

    return execute_command


def _hooked_message(kind: str, original: Async) -> Async:
    @functools.wraps(original)
    async def parse_response(self: Any, block: bool = True, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return await original(self, block, **options)
        live = functools.partial(original, self, block, **options)
        return await ask_async(lane, kind, bool(block), live)

    return parse_response


def _first_of(owner: type, *names: str) -> str:
    """Return the first of these names that a class has."""
    return next(name for name in names if hasattr(owner, name))


def asyncio_client_boundary(
    client: Any, pipeline: Any, pubsub: Any, watch_error: type[Exception], supports: str
) -> Boundary:
    """Return the boundary of a client's module for asyncio.

    Args: as for `client_boundary`.
    """
    kind = client.__module__.partition(".")[0]
    command = f"{kind}.command"
    immediate = functools.partial(_hooked_immediate, command, watch_error)
    return Boundary(
        kind=kind,
        supports=supports,
        hooks=(
            Patch(client, "execute_command", functools.partial(_hooked_command, command)),
            Patch(client, "initialize", functools.partial(_hooked_initialize, f"{kind}.connect")),
            Patch(client, _first_of(client, "aclose", "close"), _closing(f"{kind}.close")),
            Patch(pipeline, "immediate_execute_command", immediate),
            Patch(pipeline, "execute", functools.partial(_hooked_execute, f"{kind}.pipeline")),
            Patch(pipeline, "reset", _closing(f"{kind}.reset")),
            Patch(
                pubsub, "execute_command", functools.partial(_hooked_subscribe, f"{kind}.pubsub")
            ),
            Patch(pubsub, "parse_response", functools.partial(_hooked_message, f"{kind}.message")),
            Patch(pubsub, _first_of(pubsub, "aclose", "reset"), _closing(f"{kind}.close")),
        ),
        errors=(f"{kind}.exceptions",),
    )
