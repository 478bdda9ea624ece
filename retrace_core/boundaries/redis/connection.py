"""redis-py's connections: on replay there are none, so a client that wants one early gets a stub.

Hooks: `AbstractConnection.connect`, `can_read` and `send_packed_command`, below all commands,
which are answered above (`redis.client`). Who speaks to a connection itself is refused on
replay. Read in redis-py 5 to 8.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from redis.connection import AbstractConnection

from retrace_core.boundary import Boundary, Patch, attempt, in_replay
from retrace_core.errors import LiveCallRefused
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked_connect(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def connect(self: Any) -> Any:
        lane = current()
        if lane is not None:
            return attempt(lane, "redis.connect", None, lambda: original(self))
        return None if in_replay() else original(self)

    return connect


def _hooked_can_read(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def can_read(self: Any, *args: Any, **options: Any) -> Any:
        return False if in_replay() else original(self, *args, **options)

    return can_read


def _hooked_send(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def send_packed_command(self: Any, *args: Any, **options: Any) -> Any:
        if in_replay():
            raise LiveCallRefused("a command on a connection", "a Redis that is not there")
        return original(self, *args, **options)

    return send_packed_command


BOUNDARY = Boundary(
    kind="redis",
    supports="redis>=5",
    hooks=(
        Patch(AbstractConnection, "connect", _hooked_connect),
        Patch(AbstractConnection, "can_read", _hooked_can_read),
        Patch(AbstractConnection, "send_packed_command", _hooked_send),
    ),
    errors=("redis.exceptions",),
)
