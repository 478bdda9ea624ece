"""Other process: what the boundaries of `multiprocessing` share.

What another process hands over is data mostly, and kept as what is got from a queue of threads is.
"""

from __future__ import annotations

import functools
from typing import Any

from retrace_core.concurrency.handed_over import NotData, pack_handed_over, unpack_handed_over

__all__ = ["PlayedProcess", "name_of_work", "packed", "unpacked"]


def packed(value: object) -> object:
    """Return what another process handed over as what is recorded; what is no data as it is."""
    try:
        return pack_handed_over(value)
    except NotData:
        return value


def unpacked(value: object) -> Any:
    """Return what was handed over from what was recorded."""
    return unpack_handed_over(value)


def name_of_work(function: Any) -> str:
    """Return what is to be done; of what is partly given, the function in it."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__qualname__", type(function).__qualname__))


class PlayedProcess:
    """Stands for a process that a replay has not started."""

    sentinel = -1

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self, *_: object) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        return self.returncode or 0

    def terminate(self) -> None:
        pass

    def kill(self) -> None:
        pass

    def close(self) -> None:
        pass
