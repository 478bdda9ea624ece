"""A process that puts recordings into a spool until it is killed; run by `chaos`.

Usage: python -m tests.stores.chaos_writer SPOOL LOG BUDGET
It writes the traces that it is about to put, and those that it has kept, into LOG; its clock
steps back and forth.
"""

from __future__ import annotations

import os
import random
import sys
import time
import uuid

from retrace_core.errors import StoreError
from retrace_core.store import DirectoryStore
from retrace_core.store.spool import Spool
from retrace_core.store.spooled_store import SpooledStore


def main(spool: str, log: str, budget: str) -> None:
    """Put batches of one to twenty, one recording in ten of a failed request."""
    real, offset = time.time_ns, [0]
    time.time_ns = lambda: real() + offset[0]  # type: ignore[assignment]
    behind = DirectoryStore("/nonexistent")
    store = SpooledStore(behind, Spool(spool), int(budget), pack_from=8)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    while True:
        if random.random() < 0.2:
            offset[0] = random.randint(-(10**13), 10**13)  # up to three hours
        traces = [uuid.uuid4().hex for _ in range(random.choice([1, 1, 2, 3, 9, 20]))]
        _say(handle, "begun", traces)
        batch = [(trace, "shop", trace[:16], trace.encode() * 30) for trace in traces]
        failed = [random.random() < 0.1 for _ in traces]
        answers = store.put_ranked(batch, failed)
        good = [
            t for t, one in zip(traces, answers, strict=True) if not isinstance(one, StoreError)
        ]
        _say(handle, "kept", good)
        time.sleep(random.random() * 0.02)


def _say(handle: int, what: str, traces: list[str]) -> None:
    # One call each: a process that is killed leaves whole lines.
    os.write(handle, "".join(f"{what} {trace}\n" for trace in traces).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
