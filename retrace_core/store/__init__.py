"""Store: where recordings live."""

from __future__ import annotations

from retrace_core.store.directory import DirectoryStore
from retrace_core.store.protocol import BatchStore, Store, StoredRecording

__all__ = ["BatchStore", "DirectoryStore", "Store", "StoredRecording", "open_store"]


def open_store(path: str) -> Store:
    """Return the store that a recording path means; today that is a local folder."""
    return DirectoryStore(path)
