"""Serving thread: by which thread of its process a request is served."""

from __future__ import annotations

import itertools
import threading
from typing import Final

__all__ = ["UNKNOWN", "serving_thread"]

UNKNOWN: Final = -1
_numbers = itertools.count(1)


class _Here(threading.local):
    """Of this thread; its identity would not do, since the next thread may be given it."""

    known: tuple[int, str] | None = None


_here = _Here()


def serving_thread() -> tuple[int, str]:
    """Return the number of the current thread, 0 for the main one, and its name.

    Two requests of a process have the same number when, and only when, they met the same
    `threading.local`.
    """
    known = _here.known
    if known is None:
        thread = threading.current_thread()
        is_main = thread is threading.main_thread()
        known = _here.known = (0 if is_main else next(_numbers), thread.name)
    return known
