"""Uploader: the thread of this process that ships from its spool, woken by the writer.

Of all processes that write to one spool, and of sidecars, one ships at a time: the others find
its lock taken and come back later. At the end of the process it ships for a set time and leaves
the rest to the next. After a fork the child has a thread of its own, or leaves the shipping to
its parent where the parent has reached a cloud before.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe
from retrace_core.backoff import Backoff
from retrace_core.errors import StoreError
from retrace_core.stats import count, put

if TYPE_CHECKING:
    from retrace_core.store import Store
    from retrace_core.store.shipper import Shipper

__all__ = ["Uploader"]

_INTERVAL_S = 5.0
"""How often to look for what other processes, dead ones too, have left in the spool."""
_JOIN_S = 2.0

_logger = logging.getLogger("retrace")


class Uploader:
    """The thread.

    Args:
        shipper: what it runs.
        exit_s: how long it ships at the end of the process, in seconds.
    """

    def __init__(self, shipper: Shipper, exit_s: float) -> None:
        self.shipper = shipper
        self.exit_s = exit_s
        self.begin()

    def begin(self) -> None:
        """Begin afresh: with no thread, and nothing to ship that is known of."""
        self._event = threading.Event()
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._settled = threading.Event()
        """Set where the last pass has left nothing, or could not go on."""
        self._backoff = Backoff()
        self._not_before = 0.0

    def wake(self) -> None:
        """Have what is in the spool shipped soon; never waits."""
        self._settled.clear()
        self._ensure_thread()
        self._event.set()

    def _ensure_thread(self) -> None:
        with self._lock:
            if self._stopping or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._run, name="retrace-ship", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._stopping:
            early = self._not_before - time.monotonic()
            if early > 0:
                # New recordings are no reason to ask a store that is down more often.
                self._settled.set()
                self._event.wait(early) if self._stopping else time.sleep(min(early, 0.2))
                continue
            self._event.clear()
            with failsafe.gate("ship"):
                self._pass()
            put("ship_cpu_us", time.thread_time_ns() // 1000)  # of this thread so far
            if not self._stopping:
                self._event.wait(_INTERVAL_S)

    def _pass(self) -> None:
        if not usable_here(self.shipper.store):
            self._settled.set()
            return
        try:
            done = self.shipper.ship(lambda: self._stopping)
            error = done.error
        except StoreError as raised:
            done, error = None, raised
        if error is not None and not self._stopping:
            self._not_before = time.monotonic() + self._backoff.failed()
            self._tell(error)
        elif done is not None and not done.busy:
            if self._backoff.tries > 1:
                _logger.info("retrace: shipping to %s works again", self.shipper.store.url)
            self._backoff.succeeded()
        if done is not None:
            put("spool_files", done.left)
        if error is not None or done is None or done.busy or done.left == 0:
            self._settled.set()

    def _tell(self, error: StoreError) -> None:
        count("ship_failures")
        if self._backoff.tries == 1:
            _logger.warning(
                "retrace: shipping failed, recordings wait in %s: %s",
                self.shipper.spool.root,
                error,
            )

    def finish(self) -> None:
        """Ship for the set time, then stop; what is left is the next one's."""
        thread = self._thread
        if thread is None or not thread.is_alive() or threading.current_thread() is thread:
            return
        self._settled.clear()
        self._event.set()
        deadline = time.monotonic() + self.exit_s
        while time.monotonic() < deadline and not self._settled.is_set():
            self._settled.wait(0.05)
            if not thread.is_alive():
                break
        self._stopping = True
        self._event.set()
        interrupt: Any = getattr(self.shipper.store, "interrupt", None)
        end = time.monotonic() + _JOIN_S
        while thread.is_alive() and time.monotonic() < end:
            if interrupt is not None:
                interrupt()
            thread.join(0.05)
        self._stopping = False


def usable_here(store: Store) -> bool:
    """Return False where a store's client belongs to the process that this was forked from."""
    return bool(getattr(store, "usable_here", True))
