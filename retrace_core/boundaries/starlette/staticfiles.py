"""Starlette's static files: the first request asks for all whether their folder is there.

It does so in a thread, which would be one more lane of that request's, and none of the others':
replayed alone, one of the others is the first. So it is nobody's; on replay the folder is gone.

Hook: `StaticFiles.check_config`. Read in Starlette 0.27 to 1.0.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from starlette.staticfiles import StaticFiles

from retrace_core.boundary import Boundary, Patch, mask
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def _hooked(original: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    @functools.wraps(original)
    async def check_config(self: Any) -> None:
        lane = current()
        if lane is None:
            await original(self)
        elif lane.mode != REPLAY:
            with mask():
                await original(self)

    return check_config


BOUNDARY = Boundary(
    kind="starlette.staticfiles",
    supports="starlette>=0.27",
    hooks=(Patch(StaticFiles, "check_config", _hooked),),
)
