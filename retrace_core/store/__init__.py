"""Store: where recordings live."""

from __future__ import annotations

from retrace_core.store.blobs import Blob, Blobs
from retrace_core.store.directory import DirectoryStore
from retrace_core.store.opening import is_remote, open_store
from retrace_core.store.protocol import (
    END_NS,
    BatchStore,
    BulkStore,
    RankedStore,
    RewritableStore,
    Store,
    StoredRecording,
)

__all__ = [
    "END_NS",
    "BatchStore",
    "Blob",
    "Blobs",
    "BulkStore",
    "DirectoryStore",
    "RankedStore",
    "RewritableStore",
    "Store",
    "StoredRecording",
    "is_remote",
    "open_store",
]
