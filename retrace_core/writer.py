"""Writer: the one background thread of the process that encodes and puts recordings.

Its queue is bounded in bytes: when it is full, recordings are dropped and counted, and no
request ever waits. The thread starts with the first recording, and again after a fork.
What waits is written at exit, on SIGTERM (`sigterm`) and by `os._exit` (`leaving_at_once`); a
process ended by SIGKILL loses what waited, and nothing that was written.
"""

from __future__ import annotations

import atexit
import functools
import sys
import threading
import time
from collections import deque
from os import getpid as _getpid  # before anybody's hook is in place
from typing import TYPE_CHECKING

from retrace_core import failsafe
from retrace_core.errors import StoreError
from retrace_core.forked import after_fork
from retrace_core.giving_way import giving_way
from retrace_core.kept_line import tell_kept
from retrace_core.native import now_ns
from retrace_core.parked import Parked
from retrace_core.stats import count, put
from retrace_core.store.putting import put_each
from retrace_core.trace_file import Draft, dump_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from retrace_core.recording import Header
    from retrace_core.store import Store

__all__ = [
    "Writer",
    "at_exit",
    "configure",
    "finish",
    "flush",
    "is_forking",
    "park",
    "submit",
    "waiting",
]

_LINGER_S = 0.1
"""How long the thread waits for more after the first of a batch, in seconds."""
_BATCH, _BATCH_BYTES = 64, 4 << 20
"""How many recordings are encoded and stored in one step, at most, and about how large."""
_EXIT_S = 5.0
"""How long the end of the process may wait for the queue to be written, in seconds."""


class Writer:
    """A bounded queue and the thread that empties it.

    Waking a thread costs more than writing a small recording: after the first item the
    thread lingers a moment, and then writes all that has come meanwhile.

    Args:
        store: where recordings go.
        queue_bytes: how much may wait, in bytes.
        encode: drafts to the bytes of trace files.
    """

    def __init__(
        self,
        store: Store,
        queue_bytes: int,
        encode: Callable[[Iterable[Draft]], list[bytes]] = dump_all,
    ) -> None:
        self.store = store
        self._limit = queue_bytes
        self._encode = encode
        self._queue: deque[tuple[Callable[[], Draft | None], int]] = deque()
        self._bytes = 0
        self._lock = threading.RLock()  # a signal handler may come while this thread has it
        self._wake = threading.Condition(self._lock)
        self._written = threading.Condition(self._lock)
        self._asleep = True
        self._hurried = False
        self._idle = True
        self._parked = Parked()
        self._thread: threading.Thread | None = None

    def submit(self, draft: Callable[[], Draft | None], size_bytes: int) -> bool:
        """Queue a draft; drops and counts it, and returns False, when the queue is full.

        Args:
            draft: gives the recording, called on the writer's thread, or None where it has given
                it before; what it is made of must not change any more.
            size_bytes: about how much memory it holds.
        """
        if _ended or sys.is_finalizing():
            return self._write_last(draft)
        with self._lock:
            if self._bytes + size_bytes > self._limit:
                count("dropped.queue_full")
                return False
            self._queue.append((draft, size_bytes))
            self._bytes += size_bytes
            self._ensure_thread()
            if self._asleep or self._bytes > self._limit // 2:
                self._asleep = False
                self._wake.notify()
        return True

    def _write_last(self, draft: Callable[[], Draft | None]) -> bool:
        """Write what comes after the last flush, on this thread; too late, it is dropped.

        While the interpreter is taken down a new thread never runs, and waiting for it, or for a
        lock that a thread had which does not run any more, would never end.
        """
        if sys.is_finalizing():
            count("dropped.exit")
            return False
        self._write([draft])
        return True

    def park(self, deadline_ns: int, close: Callable[[], None]) -> Callable[[], None]:
        """Have `close` called at `deadline_ns` (monotonic); the returned function calls it off."""
        if _ended or sys.is_finalizing():
            close()
            return lambda: None
        with self._lock:
            ticket = self._parked.add(deadline_ns, close)
            self._ensure_thread()
            self._wake.notify()

        def cancel() -> None:
            with self._lock:
                self._parked.remove(ticket)

        return cancel

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was queued is written; False when time ran out before.

        Args:
            timeout_s: how long to wait, in seconds.
        """
        deadline = time.monotonic() + timeout_s
        with self._lock:
            if self._queue:
                self._ensure_thread()
            while self._queue or not self._idle:
                left = deadline - time.monotonic()
                if left <= 0 or self._thread is None or not self._thread.is_alive():
                    break
                self._hurried = True
                self._wake.notify()
                self._written.wait(min(left, 0.05))
            return not self._queue and self._idle

    def has_work(self) -> bool:
        """Return True where something is to be written, or waits for spawned work to end."""
        with self._lock:
            return bool(self._queue) or not self._idle or self._parked.pause_s() is not None

    def close_parked(self) -> None:
        """Seal the recordings that still wait for spawned work, because the process ends."""
        with self._lock:
            parked = self._parked.take_all()
        for close in parked:
            close()

    def _ensure_thread(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        if self._thread is not None:
            count("faults.writer_thread_died")
        self._idle = True
        self._thread = threading.Thread(target=self._run, name="retrace-writer", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            with self._lock:
                self._await_work()
                self._idle = False
                closing = self._parked.take_due()
            # No name here keeps what is done: an application would live until the next work.
            while closing:
                with failsafe.gate("close after grace"):
                    closing.pop(0)()
            while self._queue:
                self._work()
            put("writer_cpu_us", time.thread_time_ns() // 1000)  # of this thread so far

    def _await_work(self) -> None:
        while not self._queue and not self._parked.is_due():
            self._idle, self._asleep, self._hurried = True, True, False
            self._written.notify_all()
            self._wake.wait(self._parked.pause_s())
        self._asleep = False
        if not self._hurried and self._bytes <= self._limit // 2:
            self._wake.wait(_LINGER_S)

    def _work(self) -> None:
        batch, size_bytes = self._take_batch()
        try:
            self._write(batch)
        finally:
            with self._lock:
                self._bytes -= size_bytes

    def _take_batch(self) -> tuple[list[Callable[[], Draft | None]], int]:
        batch: list[Callable[[], Draft | None]] = []
        total = 0
        while self._queue and len(batch) < _BATCH and total < _BATCH_BYTES:
            make, size_bytes = self._queue.popleft()
            batch.append(make)
            total += size_bytes
        return batch, total

    def _write(self, batch: list[Callable[[], Draft | None]]) -> None:
        begun_ns = now_ns()
        drafts: list[Draft] = []
        due = len(batch)
        for make in batch:
            with failsafe.gate("encode"):
                draft = make()
                if draft is None:
                    due -= 1
                else:
                    drafts.append(draft)
        encoded = self._encoded(drafts)
        if len(encoded) < due:
            count("dropped.encode_error", due - len(encoded))
        if encoded:
            self._put(encoded)
        count("write_us", (now_ns() - begun_ns) // 1000)

    def _encoded(self, drafts: list[Draft]) -> list[tuple[Header, bytes]]:
        """Return header and bytes of each draft, but of those that can't be encoded."""
        with failsafe.gate("encode"):
            in_time = not self._hurried and self._bytes <= self._limit // 4
            encoded = self._encode(giving_way(drafts) if in_time else drafts)
            return [(draft.header, data) for draft, data in zip(drafts, encoded, strict=True)]
        if len(drafts) == 1:
            return []
        return [one for draft in drafts for one in self._encoded([draft])]

    def _put(self, encoded: list[tuple[Header, bytes]]) -> None:
        store, answers = self.store, list[str | StoreError]()
        recordings = [
            (header.folder or header.trace_id, header.service, header.span_id, data)
            for header, data in encoded
        ]
        with failsafe.gate("store"):
            answers = put_each(store, recordings, [header.failed for header, _ in encoded])
        written = 0
        for answer, (header, data) in zip(answers, encoded, strict=False):
            if isinstance(answer, str):
                written += 1
                count("written_bytes", len(data))
                tell_kept(store, answer, header, len(data))
        if written:
            count("written", written)
        if written < len(encoded):
            count("dropped.store_error", len(encoded) - written)
        for answer in answers:
            if isinstance(answer, StoreError):
                with failsafe.gate("store"):
                    raise answer

    def waiting(self) -> tuple[int, int]:
        """Return how many recordings wait to be written, and how many bytes they hold."""
        return len(self._queue), self._bytes


_writer: Writer | None = None
_prepared = False
_pid = 0
"""Of the process whose locks these are."""
_ended = False
"""True once the process has flushed for the last time."""
_exit_calls: list[Callable[[], None]] = []
_last_calls: list[Callable[[], None]] = []


def configure(
    store: Store,
    *,
    queue_bytes: int,
    encode: Callable[[Iterable[Draft]], list[bytes]] = dump_all,
) -> Writer:
    """Make the process's writer put recordings into `store`, and return it.

    Args:
        store: where recordings go; what is queued already goes there too.
        queue_bytes: how much may wait, in bytes.
        encode: drafts to the bytes of trace files.
    """
    global _writer
    _prepare_process()
    if _writer is None:
        _writer = Writer(store, queue_bytes, encode)
    else:
        _writer.store = store
        _writer._limit = queue_bytes
        _writer._encode = encode
    return _writer


def submit(draft: Callable[[], Draft | None], size_bytes: int) -> bool:
    """Queue what gives a draft with the process's writer; without one it is dropped, counted."""
    if _writer is None:
        count("dropped.no_writer")
        return False
    return _writer.submit(draft, size_bytes)


def park(deadline_ns: int, close: Callable[[], None]) -> Callable[[], None]:
    """Have `close` called at a time by the writer's thread; see `Writer.park`."""
    if _writer is None:
        return lambda: None
    return _writer.park(deadline_ns, close)


def at_exit(call: Callable[[], None], *, last: bool = False) -> None:
    """Have `call` called before the last flush of the process, to submit more, or after it."""
    calls = _last_calls if last else _exit_calls
    if call not in calls:
        calls.append(call)


def flush(timeout_s: float = 5.0) -> bool:
    """Wait until all recordings are written; False when time ran out before.

    Args:
        timeout_s: how long to wait, in seconds; default 5.
    """
    return _writer is None or _writer.flush(timeout_s)


def waiting() -> tuple[int, int]:
    """Return how many recordings wait to be written, and how many bytes they hold."""
    return (0, 0) if _writer is None else _writer.waiting()


def has_work() -> bool:
    """Return True where something is to be written, or waits for spawned work to end."""
    return _writer is not None and _writer.has_work()


def _prepare_process() -> None:
    global _prepared, _pid
    if _prepared:
        return
    _prepared, _pid = True, _getpid()
    after_fork(_after_fork)
    atexit.register(_end)


def _after_fork() -> None:
    """Start afresh: the parent's queue, its locks and its thread are not ours."""
    global _writer, _ended, _pid
    _ended = False
    if _writer is not None:
        _writer = Writer(_writer.store, _writer._limit, _writer._encode)
    _pid = _getpid()


def is_forking() -> bool:
    """Return True in a child that has not begun afresh yet: a thread of its parent may hold a lock.

    That is so while a signal is handled that came at once.
    """
    return _prepared and _pid != _getpid()


def finish(timeout_s: float = _EXIT_S) -> None:
    """Write all that is there, before the process ends.

    Args:
        timeout_s: how long to wait for that, in seconds.
    """
    _at_exit(timeout_s)


def _end() -> None:
    """Write all that is there, at the exit of the interpreter; no thread is started from now on."""
    global _ended
    _at_exit()
    _ended = True


def _at_exit(timeout_s: float = _EXIT_S) -> None:
    calls: list[Callable[[], object]] = list(_last_calls)
    if _writer is not None:
        flush = functools.partial(_writer.flush, timeout_s)
        calls = [_writer.close_parked, *_exit_calls, flush, *calls]
    for call in calls:
        with failsafe.gate("flush at exit"):  # one each: a fault keeps nothing from being written
            call()
