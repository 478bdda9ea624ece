"""Overflow: what is put for a while beside a folder that does not get all in time."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from typing import TYPE_CHECKING

from retrace_core import failsafe, writer
from retrace_core.forked import after_fork
from retrace_core.native import now_ns
from retrace_core.store import DirectoryStore
from retrace_core.store.overflowing_store import OverflowingStore

if TYPE_CHECKING:
    from retrace_core.settings import Settings
    from retrace_core.store import Store
    from retrace_core.store.spooled_store import SpooledStore
    from retrace_core.uploader import Uploader

__all__ = ["overflow_folder", "overflowing"]

_MANY = 128
"""So many recordings that wait are more than a moment's: two batches of the writer."""
_SETTLE_NS = 1_000_000_000
"""How long after recordings have overflowed it is looked whether they can be moved."""


def overflow_folder(path: str) -> str:
    """Return where recordings that a folder does not get in time are put for a while.

    It outlives a reboot, and has the user and the folder in its name.
    """
    digest = hashlib.sha256(os.path.abspath(path).encode()).hexdigest()[:12]
    return f"/var/tmp/retrace-overflow-{os.geteuid()}-{digest}"


def overflowing(store: Store, settings: Settings) -> Store:
    """Return a store for the writer that puts into a folder, and beside it while too many wait."""
    global _overflow
    if not isinstance(store, DirectoryStore):
        return store
    _overflow = Overflow(store, settings)
    if _overflow.has_left():
        _overflow.uploader.wake()
    writer.at_exit(_finish, last=True)
    return OverflowingStore(store.root, _overflow.store, _overflow.is_pressed)


class Overflow:
    """What has overflowed from one folder, and who moves it there.

    Args:
        behind: the folder.
        settings: how much it may be, and how long it is moved at the end of the process.
    """

    def __init__(self, behind: DirectoryStore, settings: Settings) -> None:
        self._behind, self._settings = behind, settings
        self._store: SpooledStore | None = None
        self._uploader: Uploader | None = None
        self.is_due = False
        """True while it is to be looked whether recordings can be moved."""

    def is_pressed(self) -> bool:
        """Return True while so many wait to be written that some may have to be dropped soon."""
        waiting, size_bytes = writer.waiting()
        return waiting >= _MANY and size_bytes > self._settings.queue_bytes // 4

    def has_left(self) -> bool:
        """Return True where a process has left some; nothing is loaded to find out."""
        folder = overflow_folder(self._behind.root)
        for name in ("waiting", "claimed"):
            with contextlib.suppress(OSError):
                if any(not one.startswith(".") for one in os.listdir(f"{folder}/{name}")):
                    return True
        return False

    @property
    def uploader(self) -> Uploader:
        """Moves them."""
        self.store()
        assert self._uploader is not None
        return self._uploader

    def store(self) -> SpooledStore:
        """Return what they are put into; loaded when first it is asked for: mostly it never is."""
        if self._store is None:
            from retrace_core.store.shipper import Shipper
            from retrace_core.store.spool import Spool
            from retrace_core.store.spooled_store import SpooledStore
            from retrace_core.uploader import Uploader

            spool = Spool(overflow_folder(self._behind.root))
            self._uploader = Uploader(Shipper(spool, self._behind), self._settings.ship_exit_s)
            self._store = SpooledStore(
                self._behind,
                spool,
                self._settings.spool_bytes,
                pack_from=1,
                wake=self._settle_soon,
            )
        return self._store

    def _settle_soon(self) -> None:
        if not self.is_due:
            self.is_due = True
            writer.park(now_ns() + _SETTLE_NS, self._settle)

    def _settle(self) -> None:
        """Have them moved, unless too many wait still: then that would make more wait."""
        self.is_due = False
        if self.is_pressed():
            self._settle_soon()
            return
        with contextlib.suppress(RuntimeError):  # the process ends: no thread is begun any more
            self.uploader.wake()

    def finish(self) -> None:
        """Move what there is, in the time that settings give, on this thread."""
        if self._uploader is None:
            return
        self._uploader.finish()
        end = time.monotonic() + self._settings.ship_exit_s
        with failsafe.gate("ship"):
            if self.has_left():
                self._uploader.shipper.ship(lambda: time.monotonic() > end)

    def begin(self) -> None:
        """Begin afresh, in a child."""
        self.is_due = False
        if self._uploader is not None:
            self._uploader.begin()


_overflow: Overflow | None = None


def _finish() -> None:
    if _overflow is not None:
        _overflow.finish()


def _after_fork() -> None:
    if _overflow is not None:
        _overflow.begin()


after_fork(_after_fork)
