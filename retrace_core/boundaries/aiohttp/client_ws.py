"""aiohttp's client side of a WebSocket: one event for each message that comes.

Frames, pings, closing and timeouts are aiohttp's own code, also on replay; what is sent goes
nowhere then. The handshake is recorded as an exchange (aiohttp/client_reqrep.py).

Hook: `ClientWebSocketResponse.__init__`, for the queue below it. Read in aiohttp 3.9 to 3.14.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from aiohttp.client_ws import ClientWebSocketResponse
from aiohttp.http import WSMessage, WSMsgType

from retrace_core.boundary import Boundary, Patch, call_async
from retrace_core.codec import PackedException, unpack_exception
from retrace_core.installer import allowed_errors
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_MESSAGE = "aiohttp.message"


def _encode(message: Any) -> list[Any]:
    return [int(message.type), message.data, message.extra]


def _decode(fields: list[Any]) -> Any:
    kind, data, extra = fields
    if isinstance(data, PackedException):  # of a message that tells an error
        data = unpack_exception(data.packed, allowed_errors())
    return WSMessage(WSMsgType(kind), data, extra)


class _Messages:
    """The queue of messages that came: reading from it is an event."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue

    async def read(self, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None:
            return await self._queue.read(*args, **kwargs)
        live = functools.partial(self._queue.read, *args, **kwargs)
        return await call_async(lane, _MESSAGE, None, live, _encode, _decode)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)


def _hooked_init(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def __init__(self: Any, reader: Any, *args: Any, **kwargs: Any) -> None:
        if current() is not None:
            reader = _Messages(reader)
        original(self, reader, *args, **kwargs)

    return __init__


BOUNDARY = Boundary(
    kind="aiohttp",
    supports="aiohttp>=3.9,<4",
    hooks=(Patch(ClientWebSocketResponse, "__init__", _hooked_init),),
    errors=("aiohttp._websocket.models",),
)
