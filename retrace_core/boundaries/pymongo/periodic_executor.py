"""pymongo: its monitors, and what tidies up in the background, are at rest in a replay.

Hooks: `open` of `PeriodicExecutor` and `AsyncPeriodicExecutor`. Read in pymongo 4.9 to 4.20.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pymongo.periodic_executor import AsyncPeriodicExecutor, PeriodicExecutor

from retrace_core.boundary import Boundary, Patch, in_replay, mask

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked_open(original: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(original)
    def opened(self: Any) -> None:
        if not in_replay():
            with mask():  # it is of the process, whichever request began it
                original(self)

    return opened


BOUNDARY = Boundary(
    kind="pymongo",
    supports="pymongo>=4.9",
    hooks=(
        Patch(PeriodicExecutor, "open", _hooked_open),
        Patch(AsyncPeriodicExecutor, "open", _hooked_open),
    ),
)
