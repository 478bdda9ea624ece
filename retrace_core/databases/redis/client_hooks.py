"""Client hooks: redis-py and valkey, sync: an event for each command, pipeline and message.

Hooks, all above retries and connections: `Redis.execute_command`; of a pipeline `execute` and
`immediate_execute_command` (what is asked while it watches); `PubSub.execute_command` and
`parse_response`. Handlers of messages are the application's code, and run on replay. Scripts
and locks come down to commands. Read in redis-py 5 to 8 and in valkey 6.1 and 6.2, its fork.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, mask
from retrace_core.databases.redis.commands import (
    ask,
    command_key,
    in_database,
    note_watch,
)
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["client_boundary"]


def _hooked_command(kind: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def execute_command(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return original(self, *args, **options)
        live = functools.partial(original, self, *args, **options)
        return ask(lane, kind, in_database(self, command_key(args)), live)

    return execute_command


def _hooked_immediate(
    kind: str, watch_error: type[Exception], original: Callable[..., Any]
) -> Callable[..., Any]:
    @functools.wraps(original)
    def immediate_execute_command(self: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        if lane is None:
            return original(self, *args, **options)
        live = functools.partial(original, self, *args, **options)
        try:
            reply = ask(lane, kind, in_database(self, command_key(args)), live)
        except watch_error:
            if lane.mode == REPLAY:
                self.reset()  # as it does when the connection that watches is lost
            raise
        if lane.mode == REPLAY:
            note_watch(self, args[0])
        return reply

    return immediate_execute_command


def _hooked_execute(kind: str, original: Callable[..., Any]) -> Callable[..., Any]:
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
            return ask(lane, kind, key, live)
        finally:
            if lane.mode == REPLAY:
                self.reset()

    return execute


def _hooked_reset(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def reset(self: Any) -> Any:
        if current() is None or getattr(self, "connection", None) is None:
            return original(self)
        with mask():  # whether it still watches is of no use to anyone
            return original(self)

    return reset


def _hooked_subscribe(kind: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def execute_command(self: Any, *args: Any) -> Any:
        lane = current()
        if lane is None:
            return original(self, *args)
        return ask(lane, kind, command_key(args), lambda: original(self, *args))

    return execute_command


def _hooked_message(kind: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def parse_response(self: Any, block: bool = True, timeout: Any = 0) -> Any:
        lane = current()
        if lane is None:
            return original(self, block, timeout)
        # Not the timeout: it gets shorter by what was waited for a subscription.
        return ask(lane, kind, bool(block), lambda: original(self, block, timeout))

    return parse_response


def client_boundary(
    client: Any, pipeline: Any, pubsub: Any, watch_error: type[Exception], supports: str
) -> Boundary:
    """Return the boundary of a client's module.

    Args:
        client: its class of clients; the first word of its module is the kind of the events.
        pipeline, pubsub: its classes of pipelines and of subscriptions.
        watch_error: what it raises where a watched key has changed.
        supports: the distribution and versions.
    """
    kind = client.__module__.partition(".")[0]
    command = f"{kind}.command"
    immediate = functools.partial(_hooked_immediate, command, watch_error)
    return Boundary(
        kind=kind,
        supports=supports,
        hooks=(
            Patch(client, "execute_command", functools.partial(_hooked_command, command)),
            Patch(pipeline, "immediate_execute_command", immediate),
            Patch(pipeline, "execute", functools.partial(_hooked_execute, f"{kind}.pipeline")),
            Patch(pipeline, "reset", _hooked_reset),
            Patch(
                pubsub, "execute_command", functools.partial(_hooked_subscribe, f"{kind}.pubsub")
            ),
            Patch(pubsub, "parse_response", functools.partial(_hooked_message, f"{kind}.message")),
            Patch(pubsub, "reset", _hooked_reset),
        ),
        errors=(f"{kind}.exceptions",),
    )
