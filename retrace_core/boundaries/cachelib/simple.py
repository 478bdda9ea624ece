"""cachelib's SimpleCache, which Flask-Caching uses too: what is asked of it is an event.

Hooks: `SimpleCache.get`, `has`, `add`, `delete`; `get_many`, `inc` and `dec` come down to them.
What is put there is no event; when it ends, `_normalize_timeout` reckons. Read in cachelib
0.9 to 0.17.
"""

from __future__ import annotations

from cachelib.simple import SimpleCache

from retrace_core.boundary import Boundary, Patch
from retrace_core.memory_cache import answering, by_live_clock

BOUNDARY = Boundary(
    kind="cachelib",
    supports="cachelib>=0.9",
    hooks=(
        *(
            answering(SimpleCache, "cachelib", name, lambda key, _: key)
            for name in ("get", "has", "add", "delete")
        ),
        Patch(SimpleCache, "_normalize_timeout", by_live_clock),
    ),
)
