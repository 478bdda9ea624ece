"""funcy: what a memoized function asks is asked for the process (cacheops knows its server so).

It is on the boot tape, found by function and arguments, as with `functools.lru_cache`.

Hooks: `memoize` and `cache`, for functions decorated once this is in place. Read in funcy 2.0.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from funcy import calc

from retrace_core.boundary import Boundary, Patch, filling

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def memoizing(*args: Any, **options: Any) -> Any:
        decorate = original(*args, **options)
        return lambda function: decorate(filling(function))

    return memoizing


def _hooked_bare(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def memoize(_func: Any = None, **options: Any) -> Any:
        decorate = _hooked(original)(**options)
        return decorate if _func is None else decorate(_func)

    return memoize


BOUNDARY = Boundary(
    kind="funcy",
    supports="funcy>=1.10",
    hooks=(Patch(calc, "memoize", _hooked_bare), Patch(calc, "cache", _hooked)),
)
