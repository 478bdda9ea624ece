"""Counters of this process: recorded, written, dropped and by what, faults by stage.

A forked child counts from zero, so that what its parent did is not counted twice.
"""

from __future__ import annotations

import threading

from retrace_core.forked import after_fork

__all__ = ["count", "counter", "put", "stats"]

_counters: dict[str, int] = {}
_lock = threading.RLock()


def count(name: str, n: int = 1) -> None:
    """Add `n` to the counter `name`."""
    with _lock:
        _counters[name] = _counters.get(name, 0) + n


def put(name: str, n: int) -> None:
    """Set what is no sum of ours but a reading: "writer_cpu_us"."""
    with _lock:
        _counters[name] = n


def counter(name: str) -> int:
    """Return one counter, 0 where nothing was counted."""
    return _counters.get(name, 0)


def stats() -> dict[str, int]:
    """Return every counter by name: "recorded", "written", "dropped.queue_full", ..."""
    with _lock:
        return dict(sorted(_counters.items()))


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()  # another thread of the parent may have held it
    _counters.clear()


after_fork(_after_fork)
