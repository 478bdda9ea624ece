"""Serving threads: a replayed request runs on a thread like that of its server, and so its work.

What a server's thread keeps (`threading.local`, context variables that nobody reset, a connection
for each thread) came from the earlier requests that it served, and from no other thread's. What
needs the main thread (signals, `asyncio.get_event_loop`) fails in another one on replay as well.
So it is with what the threads of a pool keep, which do the work of many requests.
"""

from __future__ import annotations

import contextvars
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from retrace_core.concurrency.serving_thread import UNKNOWN
from retrace_core.lanes import mask
from retrace_core.replay.unblocking import GRACE_S, interrupted

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from retrace_core.recording import Recording
    from retrace_core.replay.player import Player

__all__ = ["ServingThreads"]

T = TypeVar("T")


class ServingThreads:
    """The threads of one replay, by their numbers in the recordings of the process.

    All of them live until `close`, since those of a server's pool outlive its requests.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: dict[int, _Thread] = {}
        self._main: contextvars.Context | None = None

    def run(self, recording: Recording, player: Player, work: Callable[[], None]) -> None:
        """Run what replays a request, on its thread; returns when that is over.

        Where it goes on for long after a divergence, nobody waits for it any more.
        """
        number, name = recording.header.thread, recording.header.thread_name
        if number <= 0:
            with interrupted(player):
                self._context(recording).run(work)
            return
        if not self._of(number, name).run(work, player):
            del self._threads[number]

    def do(self, known: tuple[int, str] | None, work: Callable[[], T]) -> T:
        """Do what a thread of a pool has been given on the thread of that number.

        Args:
            known: number and name of the thread; None where they were not recorded: then the one
                that calls does it, as where there can be no more threads.
            work: what to do.

        Raises:
            BaseException: whatever `work` raises.
        """
        if known is None or known[0] <= 0:
            return work()
        try:
            thread = self._of(*known)
        except RuntimeError:  # "can't start new thread"
            return work()
        return thread.do(work)

    def close(self) -> None:
        """Let the threads end."""
        for thread in self._threads.values():
            thread.end()
        self._threads.clear()

    def _of(self, number: int, name: str) -> _Thread:
        with mask(), self._lock:
            thread = self._threads.get(number)
            if thread is None:
                thread = self._threads[number] = _Thread(name)
            return thread

    def _context(self, recording: Recording) -> contextvars.Context:
        if recording.header.thread != UNKNOWN:
            if self._main is None:  # one that has no variables is false
                self._main = contextvars.copy_context()
            return self._main
        request = recording.request
        fresh = request.protocol == "wsgi" and request.extra.get("wsgi.multithread") is True
        return contextvars.Context() if fresh else contextvars.copy_context()


class _Thread:
    """A thread that does one piece of work after the other."""

    def __init__(self, name: str) -> None:
        self._works: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._free = threading.Lock()
        thread = threading.Thread(target=self._serve, name=name or None, daemon=True)
        with mask():  # it is no thread of the application's
            thread.start()

    def run(self, work: Callable[[], None], player: Player) -> bool:
        """Have work done; False when it does not end though its replay has diverged."""
        news, over = threading.Event(), threading.Event()
        failure: list[BaseException] = []

        def do() -> None:
            try:
                work()
            except BaseException as error:
                failure.append(error)
            finally:
                over.set()
                news.set()

        with mask(), player.watched(news.set):
            self._works.put(do)
            news.wait()
            ended = over.wait(GRACE_S)
        if failure:
            raise failure[0]
        return ended

    def do(self, work: Callable[[], T]) -> T:
        """Have work of a pool done, and return what it returns.

        Where the thread is not free the one that calls does it: what came before it there, when
        it was recorded, goes on for longer now.
        """
        with mask():
            free = self._free.acquire(timeout=GRACE_S)
        if not free:
            return work()
        over = threading.Event()
        done: list[T] = []
        failure: list[BaseException] = []

        def do() -> None:
            try:
                done.append(work())
            except BaseException as error:
                failure.append(error.with_traceback(_below(error)))
            finally:
                over.set()

        try:
            with mask():
                self._works.put(do)
                over.wait()
        finally:
            self._free.release()
        if failure:
            raise failure.pop()
        return done.pop()

    def end(self) -> None:
        """Let it end after what it does."""
        self._works.put(None)

    def _serve(self) -> None:
        while (work := self._works.get()) is not None:
            work()


def _below(error: BaseException) -> TracebackType | None:
    """Return the traceback of an exception but for the line that caught it."""
    return error.__traceback__ and error.__traceback__.tb_next
