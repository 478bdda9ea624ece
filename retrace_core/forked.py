"""Forked: what is done in a child process, also where Python was not told of the fork.

uWSGI forks its workers past the interpreter, unless `py-call-osafterfork` is set: they would share
the state of our random numbers, and two of them give their recordings the same ids.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["after_fork", "notice_fork"]

_getpid = os.getpid  # before anybody's hook is in place
_functions: list[Callable[[], object]] = []
_pid = _getpid()
_lock = threading.Lock()


def after_fork(function: Callable[[], object]) -> None:
    """Have a function called in each child process, after those that were given before it."""
    _functions.append(function)


def notice_fork() -> None:
    """Call them where this is a child process, and they have not been called in it."""
    if _pid == _getpid():
        return
    with _lock:
        if _pid != _getpid():
            _begin_anew()


def _begin_anew() -> None:
    global _pid
    _pid = _getpid()
    failed: Exception | None = None
    for function in _functions:
        try:
            function()
        except Exception as error:  # noqa: BLE001, PERF203
            failed = failed or error
    if failed is not None:
        raise failed


def _in_child() -> None:
    global _lock
    _lock = threading.Lock()  # a thread of the parent may hold the other one
    _begin_anew()


os.register_at_fork(after_in_child=_in_child)
