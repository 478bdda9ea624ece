"""Coredis commands: what its requests ask, as keys, and its replies as data.

A reply is kept as the client's callback made it: plain values, or objects made to hold data, such
as the entries of a stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call_async
from retrace_core.concurrency.handed_over import NotData, pack_handed_over, unpack_handed_over
from retrace_core.databases.redis.commands import command_key, in_database

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from retrace_core import native

__all__ = ["ask_coredis", "request_key"]


def request_key(request: Any) -> list[object]:
    """Return what a request of coredis asks: its name and arguments, without passwords."""
    name = request.name
    return command_key((name.decode() if isinstance(name, bytes) else name, *request.arguments))


async def ask_coredis(
    lane: native.Lane, client: Any, asked: list[object], live: Callable[[], Awaitable[Any]]
) -> Any:
    """Return what Redis replies, as `call_async` does.

    Args:
        lane: the current one.
        client: which asks; has a `connection_pool`.
        asked: what `request_key` returned, or several of these.
        live: asks.
    """
    key = in_database(client, asked)
    return await call_async(lane, "coredis.command", key, live, _packed, unpack_handed_over)


def _packed(reply: Any) -> Any:
    try:
        return pack_handed_over(reply)
    except NotData:
        return reply  # kept as what it is, and not given back
