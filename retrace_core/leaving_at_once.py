"""Leaving at once: what waits is written where a program ends itself by `os._exit`.

Some servers do when they are stopped, since threads of theirs would not end; `atexit` is not run.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from retrace_core import failsafe, writer

__all__ = ["watch"]

_WITHIN_S = 2.0
"""How long what waits may hold it up, in seconds."""


def watch() -> None:
    """Be told of it from now on; called again it changes nothing."""
    leave: Any = os._exit
    if getattr(leave, "retrace_writes", False):
        return

    @functools.wraps(leave)
    def writes(status: int) -> Any:
        with failsafe.gate("leaving at once"):
            # Mostly nothing waits: a forked child, which ends so, has a writer of its own.
            if not writer.is_forking() and writer.has_work():
                writer.finish(_WITHIN_S)
        leave(status)

    writes.retrace_writes = True  # type: ignore[attr-defined]
    os._exit = writes
