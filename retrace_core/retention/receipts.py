"""Receipts: one line of JSON for each deletion, given to whoever asks, and kept in the store.

What is about to be deleted is written down before (`.begun.jsonl`), what came of it after that; the
former then goes. One that stays tells that the process was ended in between.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from retrace_core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrace_core.store import Store

__all__ = ["Receipt", "Receipts"]

_FOLDER = ".receipts"


class Receipt(msgspec.Struct, kw_only=True):
    """One deletion."""

    at: str
    """UTC, ISO 8601."""
    path: str
    size_bytes: int
    kept_ns: int
    """When it was kept, by the clock of the store."""
    rule: str
    reason: str
    run: str
    """Which run deleted it: the same for all of its receipts."""
    by: str
    host: str
    outcome: str = "deleting"
    """"deleted", "gone" (it was not there any more), "kept" (marked meanwhile), "failed: ..."."""


class Receipts:
    """The receipts of one run.

    Args:
        store: keeps them.
    """

    def __init__(self, store: Store) -> None:
        now = datetime.now(UTC)
        self.run = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        self._blobs = store.blobs
        self._folder = f"{_FOLDER}/{now:%Y-%m-%d}"
        self._number = 0

    @staticmethod
    def now() -> str:
        """Return the time as receipts have it."""
        return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")

    def begin(self, receipts: Sequence[Receipt]) -> None:
        """Write down what is about to be deleted.

        Raises:
            StoreError: it can't be written down; then nothing may be deleted.
        """
        self._number += 1
        self._put(f"{self._name}.begun.jsonl", receipts)

    def end(self, receipts: Sequence[Receipt]) -> None:
        """Write down what came of it.

        Raises:
            StoreError: it can't be written down; what was begun stays.
        """
        self._put(f"{self._name}.jsonl", receipts)
        self._blobs.delete(f"{self._name}.begun.jsonl")

    @property
    def _name(self) -> str:
        return f"{self._folder}/{self.run}-{self._number:06d}"

    def _put(self, key: str, receipts: Sequence[Receipt]) -> None:
        if not self._blobs.put(key, msgspec.json.Encoder().encode_lines(receipts)):
            raise StoreError(f"the receipts {key} are there already; nothing was deleted")
