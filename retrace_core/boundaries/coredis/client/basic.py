"""coredis: each command is an event; pipelines are those of `coredis.pipeline`.

Hooks: `Redis.execute_command`, to which every request comes that is awaited, and
`Client.initialize`, by which `await client` connects and asks for the server's modules: that is an
event only when it fails. What follows the bytes of a connection would find it used, or afresh, as
no replay repeats. Read in coredis 5.7.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from coredis.client.basic import Redis

from retrace_core.boundary import Boundary, Patch, attempt_async
from retrace_core.databases.redis.coredis_commands import ask_coredis, request_key
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def _hooked_command(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def execute_command(self: Any, command: Any, *args: Any, **options: Any) -> Any:
        lane = current()
        live = functools.partial(original, self, command, *args, **options)
        if lane is None:
            return await live()
        return await ask_coredis(lane, self, request_key(command), live)

    return execute_command


def _hooked_initialize(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def initialize(self: Any) -> Any:
        lane = current()
        if lane is None:
            return await original(self)
        live = functools.partial(original, self)
        return await attempt_async(lane, "coredis.initialize", None, live, lambda: self)

    return initialize


BOUNDARY = Boundary(
    kind="coredis",
    supports="coredis>=5,<6",
    hooks=(
        Patch(Redis, "execute_command", _hooked_command),
        Patch(Redis, "initialize", _hooked_initialize),
    ),
    errors=("coredis.exceptions",),
)
