"""Reload: tells when a file that settings come from has changed."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["FileWatch"]


class FileWatch:
    """Looks at some files, at most once in a while; it has no thread, so a fork needs no care.

    A file that is replaced (also by the swap of a symbolic link somewhere on its path, as for
    a mounted ConfigMap), changed, made or removed has changed.

    Args:
        paths: the files, present or not.
        interval_s: how long to trust the last look, in seconds.
        clock: seconds that only grow, for tests.
    """

    __slots__ = ("_lock", "_paths", "_seen", "clock", "due", "interval_s")

    def __init__(
        self,
        paths: Iterable[str],
        *,
        interval_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._paths = tuple(paths)
        self.interval_s = interval_s
        self.clock = clock
        self._lock = threading.Lock()
        self.due = clock() + interval_s
        """Before this time of `clock` nothing is looked at; who is in a hurry may ask first."""
        self._seen = self._look()

    def changed(self) -> bool:
        """Return True, to one caller, when a file has changed since the last look."""
        if self.clock() < self.due or not self._lock.acquire(blocking=False):
            return False
        try:
            self.due = self.clock() + self.interval_s
            found = self._look()
            if found == self._seen:
                return False
            self._seen = found
            return True
        finally:
            self._lock.release()

    def _look(self) -> list[tuple[int, ...]]:
        return [_signature(path) for path in self._paths]


def _signature(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
