"""LaunchDarkly's asyncio client: what each flag answered, as of `LDClient`.

Hooks: `AsyncLDClient.__evaluate_with_hooks`, `all_flags_state`, `is_initialized`,
`is_offline`, `secure_mode_hash`, and `__init__`. Read in launchdarkly-server-sdk 9.20.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ldclient.async_client import AsyncLDClient

from retrace_core.boundary import Boundary, Patch, in_replay
from retrace_core.ld_evaluation import evaluation_hooks, offline

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked_init(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def __init__(self: Any, config: Any) -> None:
        init(self, offline(config) if in_replay() else config)

    return __init__


BOUNDARY = Boundary(
    kind="ldclient",
    supports="launchdarkly-server-sdk>=9.4,<10",
    hooks=(Patch(AsyncLDClient, "__init__", _hooked_init), *evaluation_hooks(AsyncLDClient)),
)
