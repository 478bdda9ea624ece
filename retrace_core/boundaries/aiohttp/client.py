"""aiohttp's sessions: closing one is an event, and on replay no timer of theirs runs.

A timeout that struck while recording strikes again where it did (aiohttp/connector.py); a
debugger that halts a replay for minutes must not bring one about.

Hooks: `ClientSession.close`, `TimeoutHandle.start`. Exchanges are recorded below:
aiohttp/client_reqrep.py. Read in aiohttp 3.9 to 3.14.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from aiohttp.client import ClientSession
from aiohttp.helpers import TimeoutHandle

from retrace_core.boundary import Boundary, Patch, call_async, in_replay, mask
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_CLOSE = "aiohttp.close"


async def _nothing() -> None:
    return None


def _hooked_close(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(original)
    async def close(self: ClientSession) -> None:
        lane = current()
        if lane is None:
            return await original(self)
        if lane.mode != REPLAY:
            return await call_async(lane, _CLOSE, None, functools.partial(original, self))
        await call_async(lane, _CLOSE, None, _nothing)
        with mask():
            await original(self)
        return None

    return close


def _hooked_start(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def start(self: Any) -> Any:
        return None if in_replay() else original(self)

    return start


BOUNDARY = Boundary(
    kind="aiohttp",
    supports="aiohttp>=3.9,<4",
    hooks=(
        Patch(ClientSession, "close", _hooked_close),
        Patch(TimeoutHandle, "start", _hooked_start),
    ),
)
