"""The spool: what is kept of more than it may hold, and what becomes of what was claimed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.errors import StoreError, StoreUnavailable
from retrace_core.stats import counter
from retrace_core.store import DirectoryStore
from retrace_core.store.shipper import Shipper
from retrace_core.store.spool import Spool
from retrace_core.store.spool_budget import SpoolBudget, dropped_in
from retrace_core.store.spooled_store import SpooledStore
from tests.stores.contract import fresh

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """Return an empty one."""
    return Spool(str(tmp_path / "spool"))


def spooled(spool: Spool, tmp_path: Path, **options: Any) -> SpooledStore:
    """Return a store behind the spool, a folder."""
    given = {"budget_bytes": 1 << 20, **options}
    return SpooledStore(DirectoryStore(tmp_path / "store"), spool, **given)


def put(store: SpooledStore, count: int, *, failed: bool = False, size: int = 1000) -> list[str]:
    """Put recordings; return their traces."""
    traces = [fresh() for _ in range(count)]
    for trace in traces:
        recording = (trace, "shop", trace[:16], os.urandom(size))
        (answer,) = store.put_ranked([recording], [failed])
        assert isinstance(answer, str), answer
    return traces


def shipped(tmp_path: Path) -> set[str]:
    """Return the traces that the store behind has."""
    return {one.folder for one in DirectoryStore(tmp_path / "store").list()}


def test_what_is_put_is_shipped_and_gone(spool: Spool, tmp_path: Path) -> None:
    """The bytes are in the store, and the spool is empty."""
    store = spooled(spool, tmp_path)
    (trace,) = put(store, 1)
    tape = store.put("boot-1", "shop", "a" * 16, b"tape")
    done = Shipper(spool, store.behind).ship()
    assert (done.shipped, done.left, done.error) == (2, 0, None)
    assert store.stat(f"{trace}/shop/trace.bin").size_bytes == 1000
    assert store.get(tape) == b"tape"


def test_a_pack_is_taken_apart_for_a_folder(spool: Spool, tmp_path: Path) -> None:
    """There each recording has a file of its own."""
    store = spooled(spool, tmp_path, pack_from=4)
    given = [(fresh(), "shop", f"{n:016x}", b"%d" % n) for n in range(6)]
    store.put_ranked(given, [False] * 5 + [True])
    assert [one.is_pack for one in sorted(spool.list(), key=lambda one: one.rank)] == [True, False]
    assert Shipper(spool, store.behind).ship().shipped == 6
    assert all(store.get(f"{one[0]}/shop/trace.bin") == one[3] for one in given)


def test_the_oldest_successes_go_first(spool: Spool, tmp_path: Path) -> None:
    """Failures stay, and the tape; each that went is counted."""
    store = spooled(spool, tmp_path, budget_bytes=30_000)
    before = counter("dropped.spool_full")
    tape = store.put("boot-1", "shop", "a" * 16, bytes(100))
    failures = put(store, 10, failed=True)
    old = put(store, 15)
    new = put(store, 10)
    Shipper(spool, store.behind).ship()
    there = shipped(tmp_path)
    assert there >= {*failures, *new}
    assert store.get(tape)
    gone = set(old) - there
    assert gone == set(old[: len(gone)])
    assert counter("dropped.spool_full") - before == len(gone) > 0
    assert dropped_in(spool.root) == (len(gone), 1000 * len(gone))


def test_failures_go_for_failures_only(spool: Spool, tmp_path: Path) -> None:
    """A success that comes when only failures are there is itself what goes."""
    store = spooled(spool, tmp_path, budget_bytes=10_000)
    put(store, 9, failed=True)
    (answer,) = store.put_ranked([(fresh(), "shop", "a" * 16, bytes(2000))], [False])
    assert isinstance(answer, StoreUnavailable)
    put(store, 3, failed=True)
    assert dropped_in(spool.root)[0] == 1 + 12 - len(spool.list())


def test_a_recording_larger_than_the_budget_is_refused(spool: Spool, tmp_path: Path) -> None:
    """And nothing goes for it."""
    store = spooled(spool, tmp_path, budget_bytes=10_000)
    put(store, 5)
    (answer,) = store.put_ranked([(fresh(), "shop", "a" * 16, bytes(20_000))], [True])
    assert isinstance(answer, StoreUnavailable)
    assert len(spool.list()) == 5


def test_what_a_killed_process_dropped_is_counted_once(spool: Spool, tmp_path: Path) -> None:
    """It was moved away, or even written down, and not yet removed."""
    put(spooled(spool, tmp_path), 5)
    batch = f"{spool.root}/dropped/0123"
    os.mkdir(batch)
    for one in spool.list()[:3]:
        os.rename(f"{spool.waiting}/{one.name}", f"{batch}/{one.name}")
    budget = SpoolBudget(spool, 1 << 20)
    budget.settle()
    assert dropped_in(spool.root) == (3, 3000)
    os.mkdir(batch)
    for one in spool.list()[:1]:
        os.rename(f"{spool.waiting}/{one.name}", f"{batch}/{one.name}")
    budget.settle()  # this batch is told already: a rest of it, however it came
    assert dropped_in(spool.root) == (3, 3000)


def test_what_a_dead_shipper_had_claimed_is_shipped(spool: Spool, tmp_path: Path) -> None:
    """By the next."""
    store = spooled(spool, tmp_path)
    (trace,) = put(store, 1)
    assert spool.claim(spool.list()[0])
    assert Shipper(spool, store.behind).ship().shipped == 1
    assert shipped(tmp_path) == {trace}


def test_one_ships_at_a_time(spool: Spool, tmp_path: Path) -> None:
    """Another finds it busy, of the same process too; a forked child does not have the lock."""
    store = spooled(spool, tmp_path)
    put(store, 1)
    with spool.lock() as mine:
        assert mine
        assert Shipper(spool, store.behind).ship().busy
        code = (
            "import sys; from retrace_core.store.spool import Spool\n"
            "with Spool(sys.argv[1]).lock() as mine: print(mine)"
        )
        command = [sys.executable, "-c", code, spool.root]
        assert subprocess.run(command, capture_output=True, text=True).stdout == "False\n"
    assert Shipper(spool, store.behind).ship().shipped == 1


class _Down(DirectoryStore):
    """A folder that can't be reached for a time."""

    down = True

    def put_all(self, recordings: Sequence[tuple[str, str, str, bytes]]) -> list[str | StoreError]:
        if self.down:
            return [StoreUnavailable("down") for _ in recordings]
        return super().put_all(recordings)


def test_a_store_that_is_down_loses_nothing(spool: Spool, tmp_path: Path) -> None:
    """What was claimed stays claimed, until the store is up."""
    store = spooled(spool, tmp_path)
    traces = put(store, 100)
    behind = _Down(tmp_path / "store")
    done = Shipper(spool, behind).ship()
    assert (done.shipped, done.left, str(done.error)) == (0, 100, "down")
    behind.down = False
    assert Shipper(spool, behind).ship().shipped == 100
    assert shipped(tmp_path) == set(traces)


def test_a_damaged_pack_is_put_aside(spool: Spool, tmp_path: Path) -> None:
    """The others are shipped."""
    store = spooled(spool, tmp_path, pack_from=2)
    store.put_all([(fresh(), "shop", f"{n:016x}", b"%d" % n) for n in range(3)])
    (one,) = spool.list()
    with open(f"{spool.waiting}/{one.name}", "wb") as file:
        file.write(bytes(one.size_bytes))
    put(store, 1)
    done = Shipper(spool, store.behind).ship()
    assert (done.shipped, done.refused, done.left) == (1, 3, 0)
    assert os.listdir(f"{spool.root}/refused") == [one.name]


def test_a_recording_that_lost_its_end_is_put_aside(spool: Spool, tmp_path: Path) -> None:
    """By a power cut: its name says how long it was."""
    store = spooled(spool, tmp_path)
    put(store, 2)
    os.truncate(f"{spool.waiting}/{spool.list()[0].name}", 10)
    done = Shipper(spool, store.behind).ship()
    assert (done.shipped, done.refused, done.left) == (1, 1, 0)
    assert len(spool.list("refused")) == 1


def test_foreign_files_are_left_alone(spool: Spool, tmp_path: Path) -> None:
    """Of any name."""
    store = spooled(spool, tmp_path)
    put(store, 1)
    with open(f"{spool.waiting}/notes.txt", "w") as file:
        file.write("mine")
    assert Shipper(spool, store.behind).ship().shipped == 1
    assert os.listdir(spool.waiting) == ["notes.txt"]


def test_unsafe_names_are_refused(spool: Spool, tmp_path: Path) -> None:
    """Nothing is written."""
    store = spooled(spool, tmp_path)
    with pytest.raises(StoreError, match="no safe path"):
        store.put("..", "shop", "a" * 16, b"x")
    assert spool.list() == []


def test_its_files_are_private(spool: Spool, tmp_path: Path) -> None:
    """Folders 0700, files 0600."""
    put(spooled(spool, tmp_path), 1)
    assert os.stat(spool.root).st_mode & 0o777 == 0o700
    assert os.stat(f"{spool.waiting}/{spool.list()[0].name}").st_mode & 0o777 == 0o600
