"""coredis: a pipeline, or transaction, is one event with all of its replies.

Hooks: `Pipeline.execute`, and `Pipeline.immediate_execute_command` for what is asked while keys
are watched. Read in coredis 5.7.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from coredis.pipeline import Pipeline

from retrace_core.boundary import Boundary, Patch, mask
from retrace_core.databases.redis.coredis_commands import ask_coredis, request_key
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def _hooked_execute(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def execute(self: Any, raise_on_error: bool = True) -> Any:
        lane = current()
        requests = list(self.command_stack)
        if lane is None or not requests:
            return await original(self, raise_on_error)
        transacts = bool(self._transaction or self.explicit_transaction)
        asked: list[object] = ["MULTI" if transacts else "PIPELINE", *map(request_key, requests)]
        live = functools.partial(original, self, raise_on_error)
        if lane.mode != REPLAY:
            return await ask_coredis(lane, self, asked, live)
        try:
            replies = await ask_coredis(lane, self, asked, live)
            for request, reply in zip(requests, replies, strict=False):
                request.response = _answered(reply)
            return replies
        finally:
            with mask():
                await self.clear()

    return execute


def _answered(reply: Any) -> asyncio.Future[Any]:
    """Return what a request of a pipeline tells whoever awaits it afterwards."""
    with mask():
        told: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    if isinstance(reply, BaseException):
        told.set_exception(reply)
        told.exception()  # nobody need ask for it
    else:
        told.set_result(reply)
    return told


def _hooked_immediate(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def immediate_execute_command(self: Any, command: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        live = functools.partial(original, self, command, *args, **options)
        if lane is None:
            return await live()
        try:
            return await ask_coredis(lane, self, request_key(command), live)
        finally:
            if lane.mode == REPLAY and command.name in (b"WATCH", b"UNWATCH"):
                self.watching = command.name == b"WATCH"

    return immediate_execute_command


BOUNDARY = Boundary(
    kind="coredis",
    supports="coredis>=5,<6",
    hooks=(
        Patch(Pipeline, "execute", _hooked_execute),
        Patch(Pipeline, "immediate_execute_command", _hooked_immediate),
    ),
    errors=("coredis.exceptions",),
)
