"""Store checks: what `doctor` asks of a store and of the spool before it."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import shutil
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from retrace_core.cli.finding import NOTE, OK, PROBLEM, Finding
from retrace_core.cli.words import plural, size
from retrace_core.errors import RetraceError, StoreError
from retrace_core.overflow import overflow_folder
from retrace_core.spooling import spool_folder
from retrace_core.store import open_store
from retrace_core.store.folder_blobs import FolderBlobs
from retrace_core.store.spool import Spool
from retrace_core.store.spool_budget import dropped_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retrace_core.settings import Settings
    from retrace_core.store import Blobs
    from retrace_core.store.spool import Spooled

__all__ = ["check_cloud", "check_cloud_recordings", "check_overflow", "check_speed", "check_spool"]

_PROBES = ".probes"
_SLOW_CLOUD_S = 1.0
_SLOW_FOLDER_S = 0.02
"""Where a small file takes longer than this, the writer can't keep up with many."""
_SKEW_S = 60.0
_OLD_S = 120.0
"""How long a recording may wait in a spool that is shipped from."""
_LITTLE_SPACE_BYTES = 256 << 20
_COUNTED = 10_000


def check_cloud(settings: Settings) -> Iterator[Finding]:
    """Put, get, list and delete a probe in a cloud's store, and compare clocks."""
    url = settings.recording_path
    try:
        blobs = open_store(url).blobs
    except RetraceError as error:
        yield Finding(PROBLEM, "store", str(error))
        return
    folder = f"{_PROBES}/{secrets.token_hex(8)}"
    key = f"{folder}/probe"
    steps: dict[str, Callable[[], object]] = {
        "put": lambda: blobs.put(key, b"probe"),
        "get": lambda: blobs.get(key),
        "list": lambda: list(blobs.list(folder)),
        "delete": lambda: blobs.delete(key),
    }
    took: list[float] = []
    before = time.time()
    for name, step in steps.items():
        begun = time.perf_counter()
        try:
            found = step()
        except StoreError as error:
            yield Finding(PROBLEM, name, str(error))
            if name == "put":
                return
            continue
        took.append(time.perf_counter() - begun)
        if name in ("get", "list") and not found:
            yield Finding(PROBLEM, name, f"{url} does not have what was put a moment ago")
        if name == "put":
            yield from _skew(blobs, key, before, url)
    if len(took) == len(steps):
        words = f"{url} takes put, get, list and delete ({max(took) * 1000:.0f} ms at most)"
        yield Finding(OK, "store", words)
        if max(took) > _SLOW_CLOUD_S:
            words = "slow: recordings wait in the spool meanwhile, and no request waits for it"
            yield Finding(NOTE, "store", words)


def _skew(blobs: Blobs, key: str, before: float, url: str) -> Iterator[Finding]:
    """Compare the store's clock with ours, by what was put just now."""
    try:
        theirs = blobs.stat(key).modified_ns / 1e9
    except StoreError:
        return  # told by another step
    now = time.time()
    skew = theirs - now if theirs > now else min(0.0, theirs + 1 - before)
    if abs(skew) > _SKEW_S:
        ahead = "ahead of" if skew > 0 else "behind"
        words = (
            f"the clock of {url} is {abs(skew):.0f} s {ahead} this machine's: set this one by NTP;"
            " requests are refused from 15 minutes on, and --since finds the wrong ones"
        )
        yield Finding(PROBLEM, "clock", words)
    else:
        yield Finding(OK, "clock", "that of the store agrees with this machine's")


def check_speed(root: str) -> Iterator[Finding]:
    """Measure how long a small file takes in a folder, and compare clocks."""
    blobs = FolderBlobs(root)
    folder = f"{_PROBES}/{secrets.token_hex(8)}"
    took: list[float] = []
    missing = [str(one) for one in (Path(root), *Path(root).parents) if not one.exists()]
    try:
        before = time.time()
        for number in range(7):
            begun = time.perf_counter()
            blobs.put(f"{folder}/{number}/probe", bytes(4096))
            took.append(time.perf_counter() - begun)
        yield from _skew(blobs, f"{folder}/0/probe", before, root)
    except (StoreError, OSError):
        return  # told by another check
    finally:
        shutil.rmtree(f"{root}/{folder}", ignore_errors=True)
        _remove_empty(f"{root}/{_PROBES}", *missing)
    middle = statistics.median(took)
    if middle > _SLOW_FOLDER_S:
        words = (
            f"slow: a recording takes {middle * 1000:.0f} ms in {root}, a network file system"
            " perhaps: set RETRACE_SPOOL to a folder of this machine's disk, from which they are"
            " shipped in the background"
        )
        yield Finding(PROBLEM, "speed", words)
    else:
        yield Finding(OK, "speed", f"a recording takes {middle * 1000:.1f} ms in {root}")


def check_spool(settings: Settings) -> Iterator[Finding]:
    """Look at what waits in the spool, what was dropped, and whether anybody ships."""
    folder = spool_folder(settings)
    if not folder:
        return
    by = "a thread of each process" if settings.ship else "retrace ship (RETRACE_SHIP is off)"
    yield from _check_spool(
        folder,
        settings,
        "spool",
        f"{folder}, shipped from by {by}",
        "nobody ships at the moment: run retrace ship --once, which says what is wrong",
    )


def check_overflow(root: str, settings: Settings) -> Iterator[Finding]:
    """Look at what a rush of recordings has left beside a folder, where there ever was one.

    Args:
        root: the recordings' folder.
        settings: those in force.
    """
    folder = overflow_folder(root)
    if not os.path.isdir(folder):
        return
    yield from _check_spool(
        folder,
        settings,
        "overflow",
        f"{folder}, from where the recordings of a rush are moved to {root}",
        "nobody moves them at the moment: the next process that records into this folder does, or"
        f" retrace ship --once --spool {folder} --to {root}",
    )


def _check_spool(
    folder: str, settings: Settings, name: str, words: str, remedy: str
) -> Iterator[Finding]:
    spool = Spool(folder)
    made = not os.path.isdir(folder)
    try:
        spool.make()
        waiting = [*spool.list(), *spool.list("claimed")]
        refused = spool.list("refused")
        dropped, dropped_bytes = dropped_in(folder)
        with spool.lock() as idle:
            pass
    except StoreError as error:
        yield Finding(PROBLEM, name, str(error))
        return
    finally:
        if made:
            with contextlib.suppress(OSError):
                os.unlink(f"{folder}/.ship.lock")
            below = ("waiting", "claimed", "refused", "dropped")
            _remove_empty(*(f"{folder}/{name}" for name in below), folder)
    used = sum(one.size_bytes for one in waiting)
    free = shutil.disk_usage(folder if os.path.isdir(folder) else os.path.dirname(folder)).free
    yield Finding(OK, name, words)
    if free < min(settings.spool_bytes - used, _LITTLE_SPACE_BYTES):
        words = f"{size(free)} free at {folder}, less than its budget: make room, or lower it"
        yield Finding(PROBLEM, f"{name} disk", words)
    yield from _backlog(waiting, used, idle, remedy)
    if refused:
        words = f"{plural(len(refused), 'file')} put aside in {folder}/refused: see the log"
        yield Finding(PROBLEM, "refused", words)
    if dropped:
        words = (
            f"{plural(dropped, 'recording')} ({size(dropped_bytes)}) were dropped, as"
            f" {folder}/dropped.jsonl says: ship faster, or raise RETRACE_SPOOL_BYTES"
        )
        yield Finding(NOTE, "dropped", words)


def _remove_empty(*folders: str) -> None:
    """Remove folders that were made for a look; one that is used by now stays."""
    for folder in folders:
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def _backlog(waiting: list[Spooled], used: int, idle: bool, remedy: str) -> Iterator[Finding]:
    if not waiting:
        yield Finding(OK, "backlog", "nothing waits to be shipped")
        return
    age_s = max(0.0, time.time() - min(one.time_ns for one in waiting) / 1e9)
    words = f"{plural(len(waiting), 'file')} ({size(used)}) wait, the oldest for {age_s:.0f} s"
    if age_s < _OLD_S:
        yield Finding(OK, "backlog", words)
    elif idle:
        yield Finding(PROBLEM, "backlog", f"{words}: {remedy}")
    else:
        yield Finding(NOTE, "backlog", f"{words}; one is shipping just now")


def check_cloud_recordings(settings: Settings) -> Iterator[Finding]:
    """Count what a cloud's store has."""
    try:
        store = open_store(settings.recording_path)
        count = sum(1 for _ in itertools.islice(store.list(), _COUNTED))
    except RetraceError as error:
        yield Finding(PROBLEM, "recordings", str(error))
        return
    many = f"more than {_COUNTED}" if count == _COUNTED else str(count)
    if count:
        yield Finding(OK, "recordings", f"{many} in {store.url}")
    else:
        yield Finding(NOTE, "recordings", f"none yet in {store.url}")
