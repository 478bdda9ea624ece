"""DiskGuard: stops recording before the disk is full; it looks on a thread of its own."""

from __future__ import annotations

import os
import shutil
import threading
import time
from typing import TYPE_CHECKING

from retrace_core import failsafe
from retrace_core.lanes import mask
from retrace_core.stats import counter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DiskGuard"]

_INTERVAL_S = 30.0
_PATIENCE = 100
"""Looking may take a hundredth of the time: a folder of millions is walked less often."""


class DiskGuard:
    """Knows whether there is room for recordings, as of the last look.

    No request ever waits for the file system: the first and every later look happens on a
    short-lived thread, and until the first has ended there is room. What the writer has
    written since is added.

    Args:
        path: the folder of the recordings, there or not.
        free_bytes: how much must stay free on its disk; 0 for no limit.
        used_bytes: how much the folder may hold; 0 for no limit, and the folder isn't walked.
        clock: seconds that only grow, for tests.
    """

    def __init__(
        self,
        path: str,
        *,
        free_bytes: int,
        used_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = os.path.abspath(path)
        self._free_bytes = free_bytes
        self._used_bytes = used_bytes
        self._clock = clock
        self._due = clock() if free_bytes or used_bytes else float("inf")
        self._thread: threading.Thread | None = None
        self._free: int | None = None
        self._used: int | None = None
        self._written = 0

    def full(self) -> str:
        """Return why nothing more may be written, "disk_free" or "disk_used", or ""."""
        if self._clock() >= self._due:
            self._look_soon()
        fresh = max(0, counter("written_bytes") - self._written)
        if self._free is not None and self._free - fresh < self._free_bytes:
            return "disk_free"
        if self._used_bytes and self._used is not None and self._used + fresh >= self._used_bytes:
            return "disk_used"
        return ""

    def look(self) -> None:
        """Measure now, and take as long as it takes."""
        begun = self._clock()
        with failsafe.gate("look at the disk"):
            written = counter("written_bytes")
            self._free = _free_at(self.path) if self._free_bytes else None
            self._used = _used_below(self.path) if self._used_bytes else None
            self._written = written
        now = self._clock()
        self._due = now + max(_INTERVAL_S, (now - begun) * _PATIENCE)

    def _look_soon(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        self._due = self._clock() + _INTERVAL_S
        with failsafe.gate("look at the disk"), mask():
            self._thread = threading.Thread(target=self.look, name="retrace-disk", daemon=True)
            self._thread.start()


def _free_at(path: str) -> int:
    while not os.path.exists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return shutil.disk_usage(path).free


def _used_below(path: str) -> int:
    total, waiting = 0, [path]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:  # removed meanwhile, or not there yet
            continue
    return total
