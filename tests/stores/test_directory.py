"""A folder as a store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

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


def test_another_process_makes_the_folders_at_the_same_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers that keep their first at once both keep it, in a folder that is not there yet."""
    make = os.makedirs

    def quicker(name: str, *args: Any, **kwargs: Any) -> None:
        make(name, *args, **kwargs)
        if name == str(tmp_path / "recordings"):  # here the other one comes in between
            make(tmp_path / "recordings" / ("0" * 32) / "shop")

    monkeypatch.setattr(os, "makedirs", quicker)
    store = DirectoryStore(tmp_path / "recordings")
    path = store.put("0" * 32, "shop", "a" * 16, b"kept")
    assert store.get(path) == b"kept"
