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
from retrace_core.store import BulkStore, is_remote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retrace_core.catalog import Catalog
    from retrace_core.retention.choosing import Condemned
    from retrace_core.store import Store

__all__ = ["Deleted", "delete_all"]

_BATCH = 500
_AT_ONCE = 16


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
    receipts = Receipts(store)
    done = Deleted(receipts.run)
    for begin in range(0, len(condemned), _BATCH):
        batch = condemned[begin : begin + _BATCH]
        marks = Marks(store, time.time_ns())
        spared = marks.is_held if erase else marks.is_kept
        batch_receipts = [
            Receipt(
                at=receipts.now(),
                path=one.path,
                size_bytes=one.size_bytes,
                kept_ns=one.modified_ns,
                rule=one.rule,
                reason=one.reason,
                run=receipts.run,
                by=by,
                host=host,
                outcome="kept" if spared(one.path) else "deleting",
            )
            for one in batch
        ]
        receipts.begin(batch_receipts)
        try:
            _delete_batch(store, batch_receipts)
        finally:
            receipts.end(batch_receipts)
            gone = [one.path for one in batch_receipts if one.outcome in ("deleted", "gone")]
            if catalog is not None and gone:
                catalog.remove(gone)
        for one in batch_receipts:
            done.outcomes[one.outcome.partition(":")[0]] += 1
            done.bytes += one.size_bytes if one.outcome == "deleted" else 0
            if one.outcome.startswith("failed") and not done.first_failure:
                done.first_failure = f"{one.path}: {one.outcome}"
            tell(one)
            step()
    return done


def _delete_batch(store: Store, batch: Sequence[Receipt]) -> None:
    wanted = [one for one in batch if one.outcome == "deleting"]
    if isinstance(store, BulkStore):
        answers = store.delete_all([one.path for one in wanted])
        for one, error in zip(wanted, answers, strict=True):
            _note(one, error)
    elif is_remote(store.url) and len(wanted) > 1:
        with ThreadPoolExecutor(_AT_ONCE, "retrace-delete") as threads:
            list(threads.map(lambda one: _delete(store, one), wanted))
    else:
        for one in wanted:
            _delete(store, one)


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
