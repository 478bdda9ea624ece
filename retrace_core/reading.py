"""Reading: what machine and process are at the moment, for the boundaries of who says so.

It has no place in the order of a request's other calls, and may be asked more or less often:
caches keep it, and pools are sized by it.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Patch, call_free
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["readings"]


def readings(
    owner: Any, kind: str, functions: Mapping[str, Callable[[Any], Any] | None]
) -> Iterator[Patch]:
    """Yield the hooks of those functions that there are on this platform.

    Args:
        owner: the module that has them.
        kind: how the kinds of their events begin.
        functions: name -> what makes a function's answer of a list; None: it is a plain value.
    """
    for name, rebuild in functions.items():
        if hasattr(owner, name):
            yield Patch(owner, name, functools.partial(_asking, f"{kind}.{name}", rebuild))


def _asking(
    kind: str, rebuild: Callable[[Any], Any] | None, original: Callable[..., Any]
) -> Callable[..., Any]:
    @functools.wraps(original)
    def asking(*args: Any) -> Any:
        lane = current()
        if lane is None:
            return original(*args)
        live = functools.partial(original, *args)
        if rebuild is None:
            return call_free(lane, kind, list(args), live)
        return call_free(lane, kind, list(args), live, list, rebuild)

    return asking
