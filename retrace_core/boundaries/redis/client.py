"""redis-py, sync: one event for each command, pipeline, and message of a subscription.

Hooks, all above retries and connections: `Redis.execute_command`; of a pipeline `execute` and
`immediate_execute_command` (what is asked while it watches); `PubSub.execute_command` and
`parse_response`. Handlers of messages are the application's code, and run on replay. Scripts
and locks come down to commands. Read in redis-py 5 to 8.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from redis.client import Pipeline, PubSub, Redis
from redis.exceptions import WatchError

from retrace_core.boundary import Boundary, Patch, mask
from retrace_core.native import REPLAY, current
from retrace_core.redis_commands import (
    ask,
    command_key,
    in_database,
    note_watch,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_COMMAND, _PIPELINE = "redis.command", "redis.pipeline"
_SUBSCRIBE, _MESSAGE = "redis.pubsub", "redis.message"


def _hooked_command(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def execute_command(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return original(self, *args, **options)
        live = functools.partial(original, self, *args, **options)
        return ask(lane, _COMMAND, in_database(self, command_key(args)), live)

    return execute_command


def _hooked_immediate(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def immediate_execute_command(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return original(self, *args, **options)
        live = functools.partial(original, self, *args, **options)
        try:
            reply = ask(lane, _COMMAND, in_database(self, command_key(args)), live)
        except WatchError:
            if lane.mode == REPLAY:
                self.reset()  # as it does when the connection that watches is lost
            raise
        if lane.mode == REPLAY:
            note_watch(self, args[0])
        return reply

    return immediate_execute_command


def _hooked_execute(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def execute(self: Any, raise_on_error: bool = True) -> Any:
        lane = current()
        stack = self.command_stack
        if lane is None or (not stack and not self.watching):
            return original(self, raise_on_error)
        transacts = bool(self.transaction or self.explicit_transaction)
        asked = ["MULTI" if transacts else "PIPELINE", *(command_key(args) for args, _ in stack)]
        live = functools.partial(original, self, raise_on_error)
        try:
            key = in_database(self, asked)
            return ask(lane, _PIPELINE, key, live)
        finally:
            if lane.mode == REPLAY:
                self.reset()

    return execute


def _hooked_reset(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def reset(self: Any) -> None:
        if current() is None or getattr(self, "connection", None) is None:
            return original(self)
        with mask():  # whether it still watches is of no use to anyone
            return original(self)

    return reset


def _hooked_subscribe(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def execute_command(self: Any, *args: Any) -> Any:
        lane = current()
        if lane is None:
            return original(self, *args)
        return ask(lane, _SUBSCRIBE, command_key(args), lambda: original(self, *args))

    return execute_command


def _hooked_message(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def parse_response(self: Any, block: bool = True, timeout: Any = 0) -> Any:
        lane = current()
        if lane is None:
            return original(self, block, timeout)
        # Not the timeout: it gets shorter by what was waited for a subscription.
        return ask(lane, _MESSAGE, bool(block), lambda: original(self, block, timeout))

    return parse_response


BOUNDARY = Boundary(
    kind="redis",
    supports="redis>=5",
    hooks=(
        Patch(Redis, "execute_command", _hooked_command),
        Patch(Pipeline, "immediate_execute_command", _hooked_immediate),
        Patch(Pipeline, "execute", _hooked_execute),
        Patch(Pipeline, "reset", _hooked_reset),
        Patch(PubSub, "execute_command", _hooked_subscribe),
        Patch(PubSub, "parse_response", _hooked_message),
        Patch(PubSub, "reset", _hooked_reset),
    ),
    errors=("redis.exceptions",),
)
