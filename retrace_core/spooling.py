"""Spooling: where the settings say that recordings go, and whether by way of a spool."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from retrace_core import writer
from retrace_core.forked import after_fork
from retrace_core.overflow import overflowing
from retrace_core.store import is_remote, open_store

if TYPE_CHECKING:
    from retrace_core.settings import Settings
    from retrace_core.store import Store
    from retrace_core.uploader import Uploader

__all__ = ["local_folder", "spool_folder", "store_for"]

_uploader: Uploader | None = None


def spool_folder(settings: Settings) -> str:
    """Return the folder of the spool that settings mean; "" for none.

    By default it outlives a reboot, and has the user and the store in its name, so that all
    processes of a service on this machine share one.
    """
    if settings.spool or not is_remote(settings.recording_path):
        return settings.spool
    digest = hashlib.sha256(settings.recording_path.encode()).hexdigest()[:12]
    return f"/var/tmp/retrace-spool-{os.geteuid()}-{digest}"


def local_folder(settings: Settings) -> str:
    """Return the folder of this machine's disk that recordings are written to first."""
    return spool_folder(settings) or settings.recording_path


def store_for(settings: Settings) -> Store:
    """Return the store that the writer puts recordings into, by a spool where it should have one.

    Raises:
        StoreError: the spool's folder can't be used.
        ConfigurationError: the store can't be opened.
    """
    global _uploader
    store = open_store(settings.recording_path)
    folder = spool_folder(settings)
    if not folder:
        _uploader = None
        return overflowing(store, settings) if settings.ship else store
    # Loaded here: most processes write to a folder, and start without it.
    from retrace_core.store.shipper import Shipper
    from retrace_core.store.spool import Spool
    from retrace_core.store.spooled_store import SpooledStore
    from retrace_core.uploader import Uploader

    spool = Spool(folder)
    spool.make()
    uploader = Uploader(Shipper(spool, store), settings.ship_exit_s) if settings.ship else None
    _uploader = uploader
    if uploader is not None:
        writer.at_exit(_finish, last=True)
    return SpooledStore(
        store,
        spool,
        settings.spool_bytes,
        pack_from=settings.pack_from if is_remote(settings.recording_path) else 0,
        wake=uploader.wake if uploader is not None else _nothing,
    )


def _nothing() -> None:
    """Leave the shipping to a sidecar."""


def _finish() -> None:
    if _uploader is not None:
        _uploader.finish()


def _after_fork() -> None:
    if _uploader is not None:
        _uploader.begin()


after_fork(_after_fork)
