"""A folder as a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retrace_core.store import DirectoryStore
from tests.stores.contract import BlobsContract, StoreContract

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core.store import Blobs, Store


class TestDirectory(StoreContract):
    """The contract."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        """Return a folder."""
        store = DirectoryStore(tmp_path / "recordings")
        store.put("0" * 32, "other", "a" * 16, b"there before")
        return store


class TestFolderBlobs(BlobsContract):
    """The contract."""

    @pytest.fixture
    def blobs(self, tmp_path: Path) -> Blobs:
        """Return those of a folder."""
        return DirectoryStore(tmp_path / "recordings").blobs
