"""What the tests of retention share: the store and the recordings of the catalog's tests."""

from __future__ import annotations

from tests.catalog.conftest import put, store

__all__ = ["put", "store"]
