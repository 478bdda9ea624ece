"""Aiormq asking: how calls of aiormq are recorded, and what answers them where nothing was."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import attempt_async, call_async, in_replay, mask
from retrace_core.native import REPLAY, current
from retrace_core.recording import FREE_OF_ORDER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from retrace_core import native

__all__ = ["ask", "only_failing"]


async def ask(
    lane: native.Lane | None,
    kind: str,
    key: object,
    live: Callable[[], Awaitable[Any]],
    none: Callable[[], Any],
    encode: Callable[[Any], object],
    decode: Callable[[Any], Any],
    *,
    in_order: bool = True,
) -> Any:
    """Return what a call returns, recorded, or what was recorded.

    Args:
        lane: the current one.
        kind, key, live, encode, decode: as for `boundary.call_async`.
        none: answers a call of nobody's on replay, or one that was not recorded.
        in_order: False for what a process may ask once, whichever request waits for it.
    """

    async def asked() -> Any:
        return none() if in_replay() else await live()

    if lane is None:
        return await asked()
    if in_order:
        return await call_async(lane, kind, key, asked, encode, decode)
    kind = FREE_OF_ORDER + kind
    if lane.mode != REPLAY:
        return await call_async(lane, kind, key, asked, encode, decode)
    scope: Any = lane.scope  # type: ignore[attr-defined]
    found, value = scope.free_answer(lane, kind, key)
    if found:
        return decode(value)
    with mask():
        return none()


def only_failing(
    kind: str, on_replay: Callable[..., Any] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what hooks a coroutine method that is an event only when it fails.

    What it starts is of the process, whichever request waits for it.

    Args:
        kind: of that event.
        on_replay: takes its place there; None leaves the method itself.
    """

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        async def tried(self: Any, *args: Any, **options: Any) -> Any:
            async def live() -> Any:
                if in_replay() and on_replay is not None:
                    return on_replay(self)
                return await original(self, *args, **options)

            lane = current()
            if lane is None:
                return await live()
            if lane.mode != REPLAY:
                return await attempt_async(lane, kind, None, live)
            missed = object()
            done: Any = await attempt_async(lane, kind, None, live, lambda: missed)
            if done is not missed:
                return done
            with mask():
                return await live()

        return tried

    return hook
