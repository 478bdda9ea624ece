"""Django's LocMemCache: what is asked of it is an event.

Hooks: `LocMemCache.get`, `has_key`, `add`, `touch`, `incr`, `delete`; `get_many`, `get_or_set`,
`decr` and the asynchronous ones come down to them. What is put there is no event; when it ends,
`get_backend_timeout` reckons. Caches of other backends are covered by their
clients. Read in Django 4.2 to 5.2.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from django.core.cache.backends.locmem import LocMemCache

from retrace_core.boundary import Boundary, Patch
from retrace_core.memory_cache import answering, by_live_clock, looked_up
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked_get(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def get(self: Any, key: Any, default: Any = None, version: Any = None) -> Any:
        lane = current()
        if lane is None:
            return original(self, key, default, version)
        asked = [str(key), version]

        def live(missing: Any) -> Any:
            return original(self, key, missing, version)

        return looked_up(lane, "django.cache.get", asked, live, default)

    return get


def _versioned(key: Any, options: dict[str, Any]) -> list[Any]:
    return [str(key), options.get("version")]


BOUNDARY = Boundary(
    kind="django.cache",
    supports="django>=3.2",
    hooks=(
        Patch(LocMemCache, "get", _hooked_get),
        Patch(LocMemCache, "get_backend_timeout", by_live_clock),
        *(
            answering(LocMemCache, "django.cache", name, _versioned)
            for name in ("has_key", "add", "touch", "incr", "delete")
        ),
    ),
)
