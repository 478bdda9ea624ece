"""cachelib's SimpleCache, which Flask-Caching uses too: what is asked of it is an event.

Hooks: `SimpleCache.get`, `has`, `add`, `delete`; `get_many`, `inc` and `dec` come down to them.
What is put there is no event; when it ends, `_normalize_timeout` reckons. Read in cachelib
0.9 to 0.17.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from cachelib.simple import SimpleCache

from retrace_core.boundary import Boundary, Patch
from retrace_core.memory_cache import answered, by_live_clock
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked(name: str) -> Patch:
    kind = f"cachelib.{name}"

    def factory(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def asking(self: Any, key: Any, *args: Any, **options: Any) -> Any:
            lane = current()
            if lane is None:
                return original(self, key, *args, **options)
            live = functools.partial(original, self, key, *args, **options)
            return answered(lane, kind, key, live)

        return asking

    return Patch(SimpleCache, name, factory)


BOUNDARY = Boundary(
    kind="cachelib",
    supports="cachelib>=0.9",
    hooks=(
        *(_hooked(name) for name in ("get", "has", "add", "delete")),
        Patch(SimpleCache, "_normalize_timeout", by_live_clock),
    ),
)
