"""Deleting: takes recordings out of the store, in batches, with a receipt for each."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retrace_core.errors import NotStored, StoreError
from retrace_core.retention.marks import Marks
from retrace_core.retention.receipts import Receipt, Receipts
from retrace_core.store import BulkStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retrace_core.catalog import Catalog
    from retrace_core.retention.choosing import Condemned
    from retrace_core.store import Store

__all__ = ["Deleted", "delete_all"]

_BATCH = 500
_AT_ONCE = 16
"""A deletion waits for the network, or for the disk: of several they wait at the same time."""


@dataclass(slots=True)
class Deleted:
    """What a run has deleted."""

    run: str
    outcomes: Counter[str] = field(default_factory=lambda: Counter[str]())
    """How many "deleted", "gone", "kept", "failed"."""
    bytes: int = 0
    first_failure: str = ""


def delete_all(
    store: Store,
    condemned: Sequence[Condemned],
    *,
    by: str,
    host: str,
    catalog: Catalog | None = None,
    erase: bool = False,
    tell: Callable[[Receipt], None] = lambda _: None,
    step: Callable[[], None] = lambda: None,
) -> Deleted:
    """Delete recordings; what has been marked meanwhile stays.

    Args:
        store: where they are.
        condemned: what goes, and why.
        by: who deletes, for the receipts.
        host: from where.
        catalog: of the store, where it has one; its rows go too.
        erase: keep marks do not protect, legal holds do.
        tell: called with each receipt.
        step: called for each recording.

    Raises:
        StoreError: marks can't be read or receipts not be written; nothing more is deleted then.
    """
    with ThreadPoolExecutor(_AT_ONCE, "retrace-delete") as threads:
        run = _Run(store, by, host, catalog, erase, threads)
        for begin in range(0, len(condemned), _BATCH):
            for receipt in run.delete(condemned[begin : begin + _BATCH]):
                tell(receipt)
                step()
        return run.done


class _Run:
    """Deletes batch by batch, and keeps account of it."""

    def __init__(
        self,
        store: Store,
        by: str,
        host: str,
        catalog: Catalog | None,
        erase: bool,
        threads: ThreadPoolExecutor,
    ) -> None:
        self._store = store
        self._by, self._host = by, host
        self._catalog = catalog
        self._erase = erase
        self._threads = threads
        self._receipts = Receipts(store)
        self.done = Deleted(self._receipts.run)

    def delete(self, batch: Sequence[Condemned]) -> list[Receipt]:
        """Delete one batch, and return its receipts."""
        marks = Marks(self._store, time.time_ns())
        spared = marks.is_held if self._erase else marks.is_kept
        receipts = [self._receipt(one, kept=spared(one.path)) for one in batch]
        self._receipts.begin(receipts)
        # Interrupted here, deletions under way go on to their end: what was begun stays on record.
        wanted = [one for one in receipts if one.outcome == "deleting"]
        self._delete(wanted)
        self._receipts.end(receipts)
        if self._catalog is not None:
            gone = [one.path for one in receipts if one.outcome in ("deleted", "gone")]
            self._catalog.remove(gone)
        for one in receipts:
            self.done.outcomes[one.outcome.partition(":")[0]] += 1
            self.done.bytes += one.size_bytes if one.outcome == "deleted" else 0
            if one.outcome.startswith("failed") and not self.done.first_failure:
                self.done.first_failure = f"{one.path}: {one.outcome}"
        return receipts

    def _delete(self, wanted: list[Receipt]) -> None:
        if isinstance(self._store, BulkStore):
            answers = self._store.delete_all([one.path for one in wanted])
            for one, error in zip(wanted, answers, strict=True):
                _note(one, error)
        else:
            list(self._threads.map(lambda one: _delete(self._store, one), wanted))

    def _receipt(self, one: Condemned, *, kept: bool) -> Receipt:
        return Receipt(
            at=Receipts.now(),
            path=one.path,
            size_bytes=one.size_bytes,
            kept_ns=one.modified_ns,
            rule=one.rule,
            reason=one.reason,
            run=self._receipts.run,
            by=self._by,
            host=self._host,
            outcome="kept" if kept else "deleting",
        )


def _delete(store: Store, receipt: Receipt) -> None:
    try:
        store.delete(receipt.path)
    except StoreError as error:
        _note(receipt, error)
    else:
        _note(receipt, None)


def _note(receipt: Receipt, error: StoreError | None) -> None:
    if error is None:
        receipt.outcome = "deleted"
    elif isinstance(error, NotStored):
        receipt.outcome = "gone"
    else:
        receipt.outcome = f"failed: {error}"
    receipt.at = Receipts.now()
