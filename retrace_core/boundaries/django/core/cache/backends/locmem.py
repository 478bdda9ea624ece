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
from retrace_core.memory_cache import answered, by_live_clock, looked_up
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


def _hooked(name: str) -> Patch:
    kind = f"django.cache.{name}"

    def factory(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def asking(self: Any, key: Any, *args: Any, **options: Any) -> Any:
            lane = current()
            if lane is None:
                return original(self, key, *args, **options)
            live = functools.partial(original, self, key, *args, **options)
            return answered(lane, kind, [str(key), options.get("version")], live)

        return asking

    return Patch(LocMemCache, name, factory)


BOUNDARY = Boundary(
    kind="django.cache",
    supports="django>=3.2",
    hooks=(
        Patch(LocMemCache, "get", _hooked_get),
        Patch(LocMemCache, "get_backend_timeout", by_live_clock),
        *(_hooked(name) for name in ("has_key", "add", "touch", "incr", "delete")),
    ),
)
