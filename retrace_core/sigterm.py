"""SIGTERM: what waits is written where it would kill the process at once.

An application or server that handles SIGTERM ends by itself, through atexit.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe, native, writer
from retrace_core.boot.tape import end_boot
from retrace_core.native import LANE, RECORD

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["watch"]

_OPEN_SCOPES_S = 1.0
"""How long it waits for requests of other threads that are nearly over, in seconds."""
_watches = False


class _Forking(threading.local):
    """Of a thread that forks: the signals that it had blocked before."""

    blocked: set[int | signal.Signals] | None = None


_forking = _Forking()


def watch() -> None:
    """Be told of SIGTERM from now on, unless somebody else is.

    Python lets the main thread alone ask for that, and in a server of threads the first recording
    begins in another: so it is asked early. Called again it changes nothing.
    """
    global _watches
    if threading.current_thread() is not threading.main_thread():
        return
    if not _watches:
        _watches = True
        os.register_at_fork(
            before=_hold, after_in_parent=_let_come, after_in_child=_after_fork_in_child
        )
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _on_sigterm)


def _hold() -> None:
    """Have a SIGTERM wait while a process is forked.

    A child forgets what came before it was whole: where Python handles the signal, and the system
    does not, it would go on for ever, and so would who has ended it and waits.
    """
    with failsafe.gate("signal handler"):
        _forking.blocked = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))


def _let_come() -> None:
    with failsafe.gate("signal handler"):
        blocked, _forking.blocked = _forking.blocked, None
        if blocked is not None and signal.SIGTERM not in blocked:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))


def _after_fork_in_child() -> None:
    with failsafe.gate("signal handler"):
        watch()
    _let_come()


def _on_sigterm(number: int, frame: FrameType | None) -> Any:
    try:
        if not writer.is_forking():
            end_boot()  # it counts as open until the first request
            _await_open_scopes()
            writer.finish()
    finally:  # whatever fails there: a pool's worker would take it for its task's error, and go on
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)


def _await_open_scopes() -> None:
    """Let requests of other threads end whose response has just gone out, for a moment."""
    here = LANE.get()
    own = 1 if here is not None and here.mode == RECORD else 0
    deadline = time.monotonic() + _OPEN_SCOPES_S
    while native.arm(0) > own and time.monotonic() < deadline:
        time.sleep(0.005)
