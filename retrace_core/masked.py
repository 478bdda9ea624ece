"""Masked: calls that are of the process, whichever request makes them, and nobody's events."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import mask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["makes_masked", "masked", "masked_async"]


def masked(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return what a patched function is replaced by: it runs outside of all lanes."""

    @functools.wraps(original)
    def outside(*args: Any, **kwargs: Any) -> Any:
        with mask():
            return original(*args, **kwargs)

    return outside


def masked_async(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return what `masked` does, for a coroutine function."""

    @functools.wraps(original)
    async def outside(*args: Any, **kwargs: Any) -> Any:
        with mask():
            return await original(*args, **kwargs)

    return outside


def makes_masked(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return what `masked_async` does, for what makes a coroutine function of a function."""

    @functools.wraps(original)
    def making(function: Any) -> Any:
        return masked_async(original(function))

    return making
