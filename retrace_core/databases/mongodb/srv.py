"""SRV: what the names of `mongodb+srv://` stood for when a client looked, on the boot tape."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call, call_async, on_boot_tape
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["looking_up", "looking_up_async"]

_SRV, _NAME = "pymongo.srv", "_SrvResolver__fqdn"


def _key(resolver: Any, original: Any) -> list[str]:
    return [getattr(resolver, _NAME), original.__name__]


def looking_up(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a method of `_SrvResolver` that asks DNS once for the process."""

    @functools.wraps(original)
    def found(self: Any) -> Any:
        key, live = _key(self, original), functools.partial(original, self)
        with on_boot_tape(_SRV, key):
            lane = current()
            return live() if lane is None else call(lane, _SRV, key, live)

    return found


def looking_up_async(original: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
    """Return the same of the asyncio client's."""

    @functools.wraps(original)
    async def found(self: Any) -> Any:
        key, live = _key(self, original), functools.partial(original, self)
        with on_boot_tape(_SRV, key):
            lane = current()
            return await (live() if lane is None else call_async(lane, _SRV, key, live))

    return found
