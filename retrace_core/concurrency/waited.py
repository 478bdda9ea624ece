"""Waited: a pool's coroutine whose inside is nobody's, and whose wait is an event.

Whether a pool connects, or finds a warm connection, depends on the process's past; when it
lets the caller go on does not, on replay.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call_async, mask
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["waited"]


async def _nothing() -> None:
    return None


def _no_value(_: Any) -> None:
    return None


def waited(kind: str, *, in_turn_first: bool = False) -> Callable[[Any], Any]:
    """Return the factory of a hook for a coroutine method.

    Args:
        kind: of the event.
        in_turn_first: True to begin in recorded turn on replay (what takes a connection);
            else it ends in turn (what gives one back).
    """

    def factory(original: Any) -> Any:
        @functools.wraps(original)
        async def waiting(self: Any, *args: Any, **kwargs: Any) -> Any:
            lane = current()
            live = functools.partial(original, self, *args, **kwargs)
            if lane is None:
                return await live()
            if lane.mode != REPLAY:
                return await call_async(lane, kind, None, live, _no_value)
            if in_turn_first:
                await call_async(lane, kind, None, _nothing)
            try:
                with mask():
                    result = await live()
            except asyncio.CancelledError:
                scope: Any = getattr(lane, "scope", None)
                if not in_turn_first and hasattr(scope, "cancelled"):
                    scope.cancelled(lane, kind)  # as it was when it was recorded
                raise
            if not in_turn_first:
                await call_async(lane, kind, None, _nothing)
            return result

        return waiting

    return factory
