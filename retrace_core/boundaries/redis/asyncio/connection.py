"""redis-py's connections for asyncio: stubs on replay, as those of the sync client.

Hooks: `AbstractConnection.connect`, `can_read` (until 8: `can_read_destructive`), and
`send_packed_command`. Read in redis-py 5 to 8.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from redis.asyncio.connection import AbstractConnection

from retrace_core.boundary import Boundary, Patch, attempt_async, in_replay
from retrace_core.errors import LiveCallRefused
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Async = Callable[..., Awaitable[Any]]


def _hooked_connect(original: Async) -> Async:
    @functools.wraps(original)
    async def connect(self: Any) -> Any:
        lane = current()
        if lane is not None:
            return await attempt_async(lane, "redis.connect", None, lambda: original(self))
        return None if in_replay() else await original(self)

    return connect


def _hooked_can_read(original: Async) -> Async:
    @functools.wraps(original)
    async def can_read(self: Any, *args: Any, **options: Any) -> Any:
        return False if in_replay() else await original(self, *args, **options)

    return can_read


def _hooked_send(original: Async) -> Async:
    @functools.wraps(original)
    async def send_packed_command(self: Any, *args: Any, **options: Any) -> Any:
        if in_replay():
            raise LiveCallRefused("a command on a connection", "a Redis that is not there")
        return await original(self, *args, **options)

    return send_packed_command


_CAN_READ = "can_read" if hasattr(AbstractConnection, "can_read") else "can_read_destructive"
"""Renamed in redis-py 8."""

BOUNDARY = Boundary(
    kind="redis",
    supports="redis>=5.0.1",
    hooks=(
        Patch(AbstractConnection, "connect", _hooked_connect),
        Patch(AbstractConnection, _CAN_READ, _hooked_can_read),
        Patch(AbstractConnection, "send_packed_command", _hooked_send),
    ),
    errors=("redis.exceptions",),
)
