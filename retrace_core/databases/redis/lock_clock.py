"""Lock clock: that by which an asyncio lock of redis-py's or valkey's gives up is the request's.

Hooks the module `asyncio` as the lock sees it: it asks the event loop for the time, which is
nobody's event, and gets the clock that loops read. How often a lock is tried depends on it, and
each try is a command. Read in redis-py 5 to 8 and in valkey 6.1 and 6.2.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["lock_boundary"]


class _Loop:
    time = staticmethod(time.monotonic)


class _Asyncio:
    """The module asyncio, as the lock uses it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    def get_running_loop(self) -> _Loop:
        """Return a loop that has only a clock."""
        return _Loop()


def lock_boundary(lock: ModuleType, supports: str) -> Boundary:
    """Return the boundary of a client's module of asyncio locks.

    Args:
        lock: the module.
        supports: the distribution and versions.
    """
    own: dict[str, Any] = lock.__dict__

    def install(_: ModuleType) -> None:
        own["asyncio"] = _Asyncio()

    def remove() -> None:
        own["asyncio"] = asyncio

    kind = lock.__name__.partition(".")[0]
    return Boundary(kind=kind, supports=supports, install=install, remove=remove)
