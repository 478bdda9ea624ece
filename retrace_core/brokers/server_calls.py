"""Server calls: an answer of the server, or a message that is waited for, is an event.

What nobody's code waits for is no event; on replay nothing comes there.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call, call_async, in_replay, mask
from retrace_core.errors import LiveCallRefused
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Async = Callable[..., Awaitable[Any]]

__all__ = ["asking", "nothing_comes", "read", "waiting"]


def asking(
    kind: str,
    key: Callable[..., object],
    packed: Callable[[Any], object] | None = None,
    unpacked: Callable[[Any], Callable[[Any], Any]] | None = None,
    after: Callable[..., None] | None = None,
) -> Callable[[Async], Async]:
    """Return what hooks a coroutine method that asks the server.

    Args:
        kind: of the events.
        key: gets the method's arguments; returns what is asked.
        packed: the outcome as plain data; default: there is none.
        unpacked: gets the object whose method it is; returns what makes the outcome again.
        after: gets the method's arguments on replay, and does what remains of it there.
    """

    def hook(original: Async) -> Async:
        @functools.wraps(original)
        async def asked(self: Any, *args: Any, **options: Any) -> Any:
            lane = current()
            if lane is None:
                return await original(self, *args, **options)

            async def live() -> Any:
                if in_replay():
                    raise LiveCallRefused(kind, "a server that is not there")
                return await original(self, *args, **options)

            asked_for = key(self, *args, **options)
            decode = None if unpacked is None else unpacked(self)
            answer = await call_async(lane, kind, asked_for, live, packed or _nothing, decode)
            if after is not None and lane.mode == REPLAY:
                with mask():
                    after(self, *args, **options)
            return answer

        return asked

    return hook


def waiting(
    kind: str,
    key: Callable[[Any], object],
    packed: Callable[[Any], object],
    unpacked: Callable[[Any], Callable[[Any], Any]],
) -> Callable[[Async], Async]:
    """Return what hooks a coroutine method that waits for what comes by itself.

    Args:
        kind, packed, unpacked: as for `asking`.
        key: gets the object whose method it is.
    """

    def hook(original: Async) -> Async:
        @functools.wraps(original)
        async def waited(self: Any, *args: Any, **options: Any) -> Any:
            lane = current()

            async def live() -> Any:
                if in_replay():
                    await nothing_comes()
                return await original(self, *args, **options)

            if lane is None:
                return await original(self, *args, **options)
            return await call_async(lane, kind, key(self), live, packed, unpacked(self))

        return waited

    return hook


def read(kind: str) -> Callable[[property], property]:
    """Return what hooks a property that counts what came."""

    def hook(original: property) -> property:
        getter: Any = original.fget

        def reading(self: Any) -> Any:
            lane = current()
            if lane is None:
                return getter(self)
            return call(lane, kind, None, lambda: getter(self))

        return property(reading, original.fset, original.fdel, original.__doc__)

    return hook


async def nothing_comes() -> None:
    """Wait, for ever, for what does not come on replay."""
    with mask():
        await asyncio.get_running_loop().create_future()


def _nothing(_: Any) -> None:
    return None
