"""cachetools: filling a cache by `cached` or `cachedmethod` is done for the process.

What the function asks at a miss is on the boot tape, found by function and arguments, as with
`functools.lru_cache`; `cachetools.func` comes down to `cached`. A cache that is used as the
mapping it is belongs to the application. Expiry is the application's logic, too.

Hooks: both decorators, for functions decorated once this is in place. Read in cachetools 5 to 8.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

import cachetools

from retrace_core.boundary import Boundary, Patch, filling

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def cached(*args: Any, **options: Any) -> Any:
        decorate = original(*args, **options)

        def decorated(function: Any) -> Any:
            made = decorate(filling(function))
            with contextlib.suppress(AttributeError):
                made.__wrapped__ = function  # whoever goes round the cache gets the user's own
            return made

        return decorated

    return cached


BOUNDARY = Boundary(
    kind="cachetools",
    supports="cachetools>=5",
    hooks=(Patch(cachetools, "cached", _hooked), Patch(cachetools, "cachedmethod", _hooked)),
)
