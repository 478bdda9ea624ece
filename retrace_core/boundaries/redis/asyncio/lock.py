"""redis-py's asyncio lock: the clock by which it gives up is the request's.

Hooks the module `asyncio` as the lock sees it: it asks the event loop for the time, which is
nobody's event, and gets the clock that loops read. How often a lock is tried depends on it, and
each try is a command. Read in redis-py 5 to 8.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from redis.asyncio import lock

from retrace_core.boundary import Boundary

if TYPE_CHECKING:
    from types import ModuleType


class _Loop:
    time = staticmethod(time.monotonic)


class _Asyncio:
    """The module asyncio, as the lock uses it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    def get_running_loop(self) -> _Loop:
        """Return a loop that has only a clock."""
        return _Loop()


def _install(_: ModuleType) -> None:
    lock.asyncio = _Asyncio()  # type: ignore[attr-defined]


def _remove() -> None:
    lock.asyncio = asyncio  # type: ignore[attr-defined]


BOUNDARY = Boundary(kind="redis", supports="redis>=5.0.1", install=_install, remove=_remove)
