"""functools' `lru_cache` and `cache`: filling one is done for the process, not the request.

What a function asks while it fills its cache is on the boot tape, found by function and
arguments, so that a cold cache on replay is filled as the warm one was. A hit costs nothing
more: only the function that is called at a miss is wrapped.

Hooks: `functools.lru_cache`, for functions decorated once this is in place.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, filling

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def lru_cache(maxsize: Any = 128, typed: bool = False) -> Any:
        if not callable(maxsize):
            decorate = original(maxsize, typed)
            return lambda function: _told_apart(decorate(filling(function)), function)
        return _told_apart(original(typed=typed)(filling(maxsize)), maxsize)

    return lru_cache


def _told_apart(cached: Any, function: Any) -> Any:
    cached.__wrapped__ = function  # whoever goes round the cache gets the user's own
    return cached


BOUNDARY = Boundary(
    kind="functools",
    supports="cpython>=3.11,<3.14",
    hooks=(Patch(functools, "lru_cache", _hooked),),
)
