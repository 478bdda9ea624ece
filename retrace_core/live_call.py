"""Live call: what a replay may ask of the real world, when it was told so by name."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

from retrace_core.native import LANE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

__all__ = ["AskLive", "any_live", "ask_live", "ask_live_async", "is_live"]

T = TypeVar("T")

_LIVE: ContextVar[bool] = ContextVar("retrace_live", default=False)
_count = 0


class AskLive(BaseException):
    """Says that a call has no recorded answer, and may be made live."""


def is_live() -> bool:
    """Return True inside a call of a replay that is let through."""
    return _LIVE.get()


def any_live() -> bool:
    """Return True while such a call runs anywhere in this process."""
    return _count > 0


def ask_live(function: Callable[[], T]) -> T:
    """Return what `function` returns of the real world, outside of the replay."""
    with _outside():
        return function()


async def ask_live_async(function: Callable[[], Awaitable[T]]) -> T:
    """Do the same for an asynchronous one."""
    with _outside():
        return await function()


@contextmanager
def _outside() -> Iterator[None]:
    global _count
    lane, live = LANE.set(None), _LIVE.set(True)
    _count += 1
    try:
        yield
    finally:
        _count -= 1
        _LIVE.reset(live)
        LANE.reset(lane)
