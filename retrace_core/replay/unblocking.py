"""Unblocking: ends a wait of the application for a thread that has diverged, and so ended.

An application that hands work to a thread of its own, and waits for the answer, would wait
for ever: a divergence goes up the thread that has it, and to nobody else.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from retrace_core.lanes import mask
from retrace_core.replay.divergence import DivergedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.replay.player import Player

__all__ = ["GRACE_S", "finished_or_diverged", "interrupted", "limited"]

GRACE_S = 2.0
"""How long the application may still take after a divergence, in seconds."""
_LEAST_S = 15.0
"""How long a request that is run for what it leaves in memory may take at least, in seconds."""
_SIGNAL = getattr(signal, "SIGURG", None)  # ignored by default, so one that comes late is harmless


async def finished_or_diverged(task: asyncio.Task[Any], player: Player) -> None:
    """Wait for a task; it is cancelled when it goes on for long after a divergence."""
    loop = asyncio.get_running_loop()
    diverged = asyncio.Event()
    with player.watched(lambda: loop.call_soon_threadsafe(diverged.set)):
        watching = loop.create_task(diverged.wait())
        await asyncio.wait([task, watching], return_when=asyncio.FIRST_COMPLETED)
        watching.cancel()
        if not task.done():
            await asyncio.wait([task], timeout=GRACE_S)
            task.cancel()
            await asyncio.wait([task], timeout=GRACE_S)
            # The loop's end would wait for threads that hang.
            loop.set_default_executor(ThreadPoolExecutor(1))
    if task.done() and not task.cancelled():
        task.result()


@contextmanager
def limited(player: Player, took_s: float) -> Iterator[None]:
    """Have a request diverge that is run before the one in question, and takes far too long.

    It may wait for what another request of its process did, that was not recorded: it is not worth
    all of the time that there is.

    Args:
        player: of that request.
        took_s: how long it took when it was recorded, in seconds.
    """
    timer = threading.Timer(max(_LEAST_S, 3 * took_s), player.stalled)
    timer.daemon = True
    with mask():  # it is no thread of the application's
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def interrupted(player: Player) -> Iterator[None]:
    """Raise the divergence in the main thread when the block goes on for long after one."""
    if _SIGNAL is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    main = threading.get_ident()
    timers: list[threading.Timer] = []

    def raise_it(*_: object) -> None:
        if player.divergence is not None:
            raise DivergedError(player.divergence)

    def begin() -> None:
        timer = threading.Timer(GRACE_S, signal.pthread_kill, (main, _SIGNAL))
        timer.daemon = True
        timers.append(timer)
        with mask():  # it is no thread of the application's
            timer.start()

    before = signal.signal(_SIGNAL, raise_it)
    try:
        with player.watched(begin):
            yield
    finally:
        signal.signal(_SIGNAL, before)
        for timer in timers:
            timer.cancel()
