"""Spool watch: wakes a shipper when something comes into the spool, or at intervals.

With watchfiles (the extra `watch`) the system tells it; else the folder is looked at.
"""

from __future__ import annotations

import importlib.util
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from retrace_core.store.spool import Spool

__all__ = ["wakes", "watches"]

_DEBOUNCE_MS, _LOOK_MS = 100, 200


def watches() -> bool:
    """Return True where the system tells of new files."""
    return importlib.util.find_spec("watchfiles") is not None


def wakes(spool: Spool, interval_s: float, stop: threading.Event) -> Iterator[None]:
    """Yield at once, whenever something has come, and every `interval_s`, until stopped.

    Args:
        spool: which.
        interval_s: the longest between two, in seconds.
        stop: when it is set, this ends.
    """
    yield
    if not watches():
        while not stop.wait(interval_s):
            yield
        return
    from watchfiles import Change, watch

    def whole(change: Change, path: str) -> bool:
        return change is Change.added and not os.path.basename(path).startswith(".")

    yielded, first = time.monotonic(), True
    for changes in watch(
        spool.waiting,
        watch_filter=whole,
        debounce=_DEBOUNCE_MS,
        step=_DEBOUNCE_MS // 2,
        rust_timeout=_LOOK_MS,
        yield_on_timeout=True,
        stop_event=stop,
        recursive=False,
    ):
        # The first time whatever is told: something may have come before the watch began.
        if changes or first or time.monotonic() - yielded >= interval_s:
            first = False
            yield
            yielded = time.monotonic()
