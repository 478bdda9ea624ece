"""Counters of this process: recorded, written, dropped and by what, faults by stage."""

from __future__ import annotations

import threading

__all__ = ["count", "stats"]

_counters: dict[str, int] = {}
_lock = threading.Lock()


def count(name: str, n: int = 1) -> None:
    """Add `n` to the counter `name`."""
    with _lock:
        _counters[name] = _counters.get(name, 0) + n


def stats() -> dict[str, int]:
    """Return every counter by name: "recorded", "written", "dropped.queue_full", ..."""
    with _lock:
        return dict(sorted(_counters.items()))
