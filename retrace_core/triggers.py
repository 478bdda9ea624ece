"""Triggers: a crash and a signal, noticed in passing, with what was there before still called."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType, TracebackType

__all__ = ["install", "renew", "uninstall"]

_fire: Callable[[str], object] | None = None
_signals: tuple[int, ...] = ()
_crashes = False
_before: dict[int, Any] = {}
_excepthook: Callable[..., Any] | None = None
_thread_excepthook: Callable[..., Any] | None = None


def install(names: Iterable[str], fire: Callable[[str], object]) -> None:
    """Have `fire` called, with the reason, when something of `names` happens.

    What was installed before is taken out first.

    Args:
        names: "crash" (an exception that nothing catches ends the process or a thread) and
            names of signals. Others are passed over.
        fire: called on the thread that crashed; for a signal, on a new thread.
    """
    global _fire, _signals, _crashes
    uninstall()
    wanted = set(names)
    _fire = fire
    _signals = tuple(getattr(signal, name) for name in sorted(wanted) if name.startswith("SIG"))
    _crashes = "crash" in wanted
    if _crashes:
        _watch_crashes()
    renew()


def renew() -> None:
    """Put signal handlers (back) in place; does nothing on any thread but the main one.

    A server that forks workers may reset them in the worker, after our fork handler ran.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _signals:
        found = signal.getsignal(number)
        if found is not _on_signal:
            _before[number] = found
            signal.signal(number, _on_signal)


def uninstall() -> None:
    """Take out what is still ours; what others have put over ours calls it still, in vain."""
    global _fire, _signals, _crashes, _excepthook, _thread_excepthook
    _fire, _signals, _crashes = None, (), False
    if sys.excepthook is _on_crash and _excepthook is not None:
        sys.excepthook, _excepthook = _excepthook, None
    if threading.excepthook is _on_thread_crash and _thread_excepthook is not None:
        threading.excepthook, _thread_excepthook = _thread_excepthook, None
    if threading.current_thread() is threading.main_thread():
        for number, before in list(_before.items()):
            if signal.getsignal(number) is _on_signal:
                signal.signal(number, signal.SIG_DFL if before is None else before)
            del _before[number]


def _watch_crashes() -> None:
    global _excepthook, _thread_excepthook
    if _excepthook is None:
        _excepthook, sys.excepthook = sys.excepthook, _on_crash
    if _thread_excepthook is None:
        _thread_excepthook, threading.excepthook = threading.excepthook, _on_thread_crash


def _fire_for(kind: type[BaseException] | None) -> None:
    if _fire is not None and _crashes and kind is not None and issubclass(kind, Exception):
        with failsafe.gate("trigger"):
            _fire(f"crash: {kind.__module__}.{kind.__qualname__}")


def _on_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _fire_for(kind)
    (_excepthook or sys.__excepthook__)(kind, error, trace)


def _on_thread_crash(args: threading.ExceptHookArgs) -> None:
    _fire_for(args.exc_type)
    (_thread_excepthook or threading.__excepthook__)(args)


def _on_signal(number: int, frame: FrameType | None) -> None:
    # The main thread may hold any lock just now, ours or threading's: no more is done here
    # than to start a thread, by the one call that takes none.
    if number in _signals:
        with failsafe.gate("trigger"):
            _thread.start_new_thread(_fire_for_signal, (signal.Signals(number).name,))
    before = _before.get(number)
    if callable(before):
        before(number, frame)


def _fire_for_signal(name: str) -> None:
    with failsafe.gate("trigger"):
        if _fire is not None:
            _fire(f"signal {name}")
