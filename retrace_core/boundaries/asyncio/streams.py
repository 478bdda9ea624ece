"""asyncio's streams that no boundary stands above: what goes over them is recorded.

Hooks: `open_connection` and `open_unix_connection`, in `asyncio` and in `asyncio.streams`. They
are functions that return a coroutine here: who calls is seen by the call, which `wait_for` may
await elsewhere. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import asyncio
import functools
from asyncio import streams
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, attempt_async
from retrace_core.calling import called_from
from retrace_core.coverage.coverage_watch import address_text
from retrace_core.coverage.covering import is_anothers
from retrace_core.native import current
from retrace_core.sockets.own_stream import adopt_streams, streams_to_nobody

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_LIMIT = 2**16
_NAMES = ("open_connection", "open_unix_connection")


def _hooked(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    def opening(*args: Any, **options: Any) -> Awaitable[Any]:
        if is_anothers(called_from(), in_lane=current() is not None):
            return original(*args, **options)
        return _open(original, args, options)

    return opening


async def _open(
    original: Callable[..., Awaitable[Any]], args: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    named = [*args, *(options[name] for name in ("host", "port", "path") if name in options)]
    peer = address_text(tuple(named) if len(named) > 1 else named[0] if named else None)

    async def live() -> Any:
        return await original(*args, **options)

    def stub() -> Any:
        return streams_to_nobody(options.get("limit", _LIMIT))

    lane = current()
    if lane is None:
        reader, writer = await live()
    else:
        reader, writer = await attempt_async(lane, "stream.connect", peer, live, stub)
    return adopt_streams(reader, writer, peer)


BOUNDARY = Boundary(
    kind="stream",
    supports="cpython>=3.11,<3.14",
    hooks=tuple(Patch(owner, name, _hooked) for owner in (streams, asyncio) for name in _NAMES),
    errors=(asyncio.IncompleteReadError, asyncio.LimitOverrunError),
)
