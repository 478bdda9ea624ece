"""Spool budget: how much may wait in a spool, and who goes when it is more.

The oldest successes go first, then the oldest failures; tapes of processes stay, nothing
replays without them. What is dropped is moved away in one rename each, written into
dropped.jsonl, one line for each time, and only then removed: a process that is killed between
two steps leaves the rest to the next, and each recording is counted once.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import time
from typing import TYPE_CHECKING

from retrace_core import failsafe
from retrace_core.errors import StoreError
from retrace_core.stats import count
from retrace_core.store.spool import FAILURE, SUCCESS, Spooled, spooled

if TYPE_CHECKING:
    from retrace_core.store.spool import Spool

__all__ = ["SpoolBudget", "dropped_in"]

_LOOK_EVERY_S = 1.0
"""How old a look at the spool may be, in seconds: other processes write to it as well."""
_DOWN_TO = 0.9
"""To what share of the budget it is emptied, so that not each recording needs another look."""
_LEDGER = "dropped.jsonl"

_logger = logging.getLogger("retrace")


class SpoolBudget:
    """Keeps a spool within a number of bytes.

    Args:
        spool: which.
        budget_bytes: how much may wait in it.
    """

    def __init__(self, spool: Spool, budget_bytes: int) -> None:
        self._spool = spool
        self._budget = budget_bytes
        self._bytes = 0
        """As of the last look, and what this process has put since."""
        self._looked = -_LOOK_EVERY_S

    def admit(self, size_bytes: int, rank: int) -> bool:
        """Make room for so many bytes; False where they are what has to go.

        Raises:
            StoreError: the spool can't be read.
        """
        now = time.monotonic()
        stale = now - self._looked > _LOOK_EVERY_S
        if self._bytes + size_bytes > self._budget or (stale and self._bytes > self._budget // 4):
            self._look(now)
        elif now - self._looked > 10 * _LOOK_EVERY_S:
            self._look(now)
        if self._bytes + size_bytes > self._budget:
            self._make_room(size_bytes, rank)
        if self._bytes + size_bytes > self._budget:
            return False
        self._bytes += size_bytes
        return True

    def _look(self, now: float) -> list[Spooled]:
        waiting = self._spool.list()
        claimed = self._spool.list("claimed")
        self._bytes = sum(one.size_bytes for one in (*waiting, *claimed))
        self._looked = now
        return waiting

    def make_room(self, size_bytes: int) -> bool:
        """Drop the oldest successes for so many bytes, whatever the budget: the disk is full."""
        successes = [one for one in self._spool.list() if one.rank == SUCCESS]
        return self._drop(successes, max(size_bytes, self._budget // 100)) > 0

    def _make_room(self, size_bytes: int, rank: int) -> None:
        waiting = self._look(time.monotonic())
        over = self._bytes + size_bytes - int(self._budget * _DOWN_TO)
        if self._bytes + size_bytes <= self._budget or size_bytes > self._budget:
            return
        # A success never makes a failure go.
        victims = [one for one in waiting if one.rank <= min(rank, FAILURE)]
        self._bytes -= self._drop(victims, over)

    def _drop(self, victims: list[Spooled], wanted_bytes: int) -> int:
        """Drop the first of them, until so many bytes are gone; return how many went."""
        victims.sort(key=lambda one: (one.rank, one.time_ns))
        chosen: list[Spooled] = []
        total = 0
        for one in victims:
            if total >= wanted_bytes:
                break
            chosen.append(one)
            total += one.size_bytes
        if not chosen:
            return 0
        with self._spool.lock("drop", wait=True):
            self._settle()
            batch = f"{self._spool.root}/dropped/{secrets.token_hex(8)}"
            os.mkdir(batch, 0o700)
            for one in chosen:
                try:
                    os.rename(f"{self._spool.waiting}/{one.name}", f"{batch}/{one.name}")
                except FileNotFoundError:
                    continue  # claimed, or dropped by another process
            return self._settle()

    def refused(self, recordings: int, size_bytes: int) -> None:
        """Take note of recordings that found no room: they are dropped as well."""
        self._tell(secrets.token_hex(8), recordings, size_bytes, "no room")

    def settle(self) -> None:
        """Count what a process that was killed has dropped and not counted."""
        with self._spool.lock("drop") as mine:
            if mine:
                self._settle()

    def _settle(self) -> int:
        """Count, then remove, what lies in dropped/; return its bytes."""
        total = 0
        folder = f"{self._spool.root}/dropped"
        batches = os.listdir(folder)
        told = _last_batches(self._spool.root) if batches else frozenset[str]()
        for batch in batches:
            files = [one for one in map(spooled, os.listdir(f"{folder}/{batch}")) if one]
            for one in files:
                # The name has the numbers: even a full disk has room for their line then.
                os.truncate(f"{folder}/{batch}/{one.name}", 0)
            size_bytes = sum(one.size_bytes for one in files)
            if files and batch not in told:
                self._tell(batch, sum(one.count for one in files), size_bytes, "over the budget")
            shutil.rmtree(f"{folder}/{batch}", ignore_errors=True)
            total += size_bytes
        return total

    def _tell(self, batch: str, recordings: int, size_bytes: int, why: str) -> None:
        line = {
            "batch": batch,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "recordings": recordings,
            "bytes": size_bytes,
            "why": why,
        }
        _append(f"{self._spool.root}/{_LEDGER}", json.dumps(line))
        count("dropped.spool_full", recordings)
        with failsafe.gate("log line"):
            _logger.warning(
                "retrace: dropped %d recordings (%d bytes) from the spool %s: %s; make its budget"
                " larger (RETRACE_SPOOL_BYTES), or see with retrace doctor why nothing is shipped",
                recordings,
                size_bytes,
                self._spool.root,
                why,
            )


def _append(path: str, line: str) -> None:
    """Write a line in one call, so that those of several processes do not mix."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)


def _lines(root: str) -> list[dict[str, object]]:
    try:
        with open(f"{root}/{_LEDGER}", encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"{root}/{_LEDGER} can't be read ({error.strerror})") from error
    found: list[dict[str, object]] = []
    for line in text.splitlines():
        try:
            read = json.loads(line)
        except ValueError:
            continue  # cut by a full disk
        if isinstance(read, dict):
            found.append(read)
    return found


def _last_batches(root: str) -> frozenset[str]:
    return frozenset(str(line.get("batch")) for line in _lines(root)[-1000:])


def dropped_in(root: str) -> tuple[int, int]:
    """Return how many recordings a spool has dropped, and how many bytes they had.

    Raises:
        StoreError: its ledger can't be read.
    """
    once = {str(line.get("batch")): line for line in _lines(root)}
    numbers = [(line.get("recordings"), line.get("bytes")) for line in once.values()]
    whole = [(a, b) for a, b in numbers if isinstance(a, int) and isinstance(b, int)]
    return sum(a for a, _ in whole), sum(b for _, b in whole)
