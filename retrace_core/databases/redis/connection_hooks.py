"""Connection hooks: on replay redis-py and valkey have none: who wants one early gets a stub.

Hooks: `AbstractConnection.connect`, `can_read` (of asyncio's until redis-py 8, and in valkey:
`can_read_destructive`) and `send_packed_command`, below all commands, which are answered above.
Who speaks to a connection itself is refused on replay. Read in redis-py 4.6 to 8 and in valkey 6.1
and 6.2, its fork.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, attempt, attempt_async, in_replay, mask
from retrace_core.errors import LiveCallRefused
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Async = Callable[..., Awaitable[Any]]

__all__ = ["asyncio_connection_boundary", "connection_boundary"]


def _hooked_connect(kind: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def connect(self: Any) -> Any:
        lane = current()
        if lane is not None:
            return attempt(lane, kind, None, lambda: original(self))
        return None if in_replay() else original(self)

    return connect


def _hooked_can_read(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def can_read(self: Any, *args: Any, **options: Any) -> Any:
        if in_replay():
            return False
        with mask():  # until redis-py 5 it reads from the socket
            return original(self, *args, **options)

    return can_read


def _hooked_send(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def send_packed_command(self: Any, *args: Any, **options: Any) -> Any:
        if in_replay():
            raise LiveCallRefused("a command on a connection", "a Redis that is not there")
        return original(self, *args, **options)

    return send_packed_command


def _connect_async(kind: str, original: Async) -> Async:
    @functools.wraps(original)
    async def connect(self: Any) -> Any:
        lane = current()
        if lane is not None:
            return await attempt_async(lane, kind, None, lambda: original(self))
        return None if in_replay() else await original(self)

    return connect


def _can_read_async(original: Async) -> Async:
    @functools.wraps(original)
    async def can_read(self: Any, *args: Any, **options: Any) -> Any:
        if in_replay():
            return False
        with mask():
            return await original(self, *args, **options)

    return can_read


def _send_async(original: Async) -> Async:
    @functools.wraps(original)
    async def send_packed_command(self: Any, *args: Any, **options: Any) -> Any:
        if in_replay():
            raise LiveCallRefused("a command on a connection", "a Redis that is not there")
        return await original(self, *args, **options)

    return send_packed_command


def connection_boundary(connection: Any, supports: str) -> Boundary:
    """Return the boundary of a client's module of connections.

    Args:
        connection: its class; the first word of its module is the kind of the events.
        supports: the distribution and versions.
    """
    kind = connection.__module__.partition(".")[0]
    return Boundary(
        kind=kind,
        supports=supports,
        hooks=(
            Patch(connection, "connect", functools.partial(_hooked_connect, f"{kind}.connect")),
            Patch(connection, "can_read", _hooked_can_read),
            Patch(connection, "send_packed_command", _hooked_send),
        ),
        errors=(f"{kind}.exceptions",),
    )


def asyncio_connection_boundary(connection: Any, supports: str) -> Boundary:
    """Return what `connection_boundary` does, for asyncio."""
    kind = connection.__module__.partition(".")[0]
    can_read = "can_read" if hasattr(connection, "can_read") else "can_read_destructive"
    return Boundary(
        kind=kind,
        supports=supports,
        hooks=(
            Patch(connection, "connect", functools.partial(_connect_async, f"{kind}.connect")),
            Patch(connection, can_read, _can_read_async),
            Patch(connection, "send_packed_command", _send_async),
        ),
        errors=(f"{kind}.exceptions",),
    )
