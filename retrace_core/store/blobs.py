"""Blobs: named bytes below a store's root, which every store is made of.

For whatever is no recording and lives with the recordings. Such keys begin with a folder that
begins with a dot (".packs/..."): no trace is called so, so `Store.list` passes them over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from retrace_core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Blob", "Blobs", "check_key"]

_KEY = re.compile(
    r"\.?[A-Za-z0-9][A-Za-z0-9._=-]{0,127}(/[A-Za-z0-9][A-Za-z0-9._=-]{0,127})*", re.A
)


@dataclass(frozen=True, slots=True)
class Blob:
    """One of them."""

    key: str
    """Name below the root, with forward slashes."""
    size_bytes: int
    modified_ns: int
    """Unix time in nanoseconds, by the clock of the store."""


class Blobs(Protocol):
    """Named bytes; all methods block, and may be called by any thread."""

    def put(self, key: str, data: bytes) -> bool:
        """Keep bytes under a key, whole; False, and nothing is changed, when it is taken.

        Raises:
            StoreError: they could not be kept.
        """
        ...

    def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        """Return the bytes of a key, or a part of them.

        Raises:
            NotStored: there are none.
            StoreError: they can't be read.
        """
        ...

    def list(self, folder: str = "") -> Iterator[Blob]:
        """Yield all below a folder, at any depth; a folder that is not there yields nothing.

        Raises:
            StoreError: the store can't be read.
        """
        ...

    def stat(self, key: str) -> Blob:
        """Return what is known of a key.

        Raises:
            NotStored: there is none.
            StoreError: the store can't be asked.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove a key; one that is not there is no error.

        Raises:
            StoreError: it can't be removed.
        """
        ...


def check_key(key: str) -> str:
    """Return the key.

    Raises:
        StoreError: it is not safe as a path below a folder.
    """
    if len(key) > 512 or not _KEY.fullmatch(key):
        raise StoreError(f"{key!r} is no safe name in a store; nothing was touched")
    return key
