"""LaunchDarkly: what each flag answered the application.

An event has flag, default and context as its key, and value, index of the variation and reason
as its answer, of a plain `variation()` too. What the SDK does for it (a persistent store, big
segments, hooks of the application's) is silent. On replay a client that is constructed is
offline: it starts no thread, and asks nobody. `OpTracker.consistent` of a migration whose
flag has a check ratio is not recorded.

Hooks: `LDClient.__evaluate_with_hooks`, through which `variation`, `variation_detail` and
`migration_variation` go (in version 8, `_evaluate_internal`); `all_flags_state`,
`is_initialized`, `is_offline`, `secure_mode_hash`; and `__init__`. Read in
launchdarkly-server-sdk 8.2 and 9.20.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ldclient.client import LDClient

from retrace_core.boundary import Boundary, Patch, in_replay, mask
from retrace_core.ld_evaluation import evaluation_hooks, offline

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked_init(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def __init__(self: Any, config: Any, *args: Any, **kwargs: Any) -> None:
        with mask():  # its threads, and what it asks of itself, belong to no request
            if in_replay():
                return init(self, offline(config), 0)
            return init(self, config, *args, **kwargs)

    return __init__


BOUNDARY = Boundary(
    kind="ldclient",
    supports="launchdarkly-server-sdk>=8,<10,!=9.0.*,!=9.1.*,!=9.2.*,!=9.3.*",
    hooks=(Patch(LDClient, "__init__", _hooked_init), *evaluation_hooks(LDClient)),
)
