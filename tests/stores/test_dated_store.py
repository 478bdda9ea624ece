"""A folder for each day before the traces."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from retrace_core.errors import ConfigurationError, NotStored
from retrace_core.store import open_store
from retrace_core.store.dated_store import DatedStore
from retrace_core.store.pack import make_pack
from retrace_core.store.shipper import Shipper
from retrace_core.store.spool import Spool
from tests.stores.contract import OTHER, SPAN, fresh

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stores.emulators import Emulator

DAY_NS = 86400 * 10**9


@pytest.fixture
def store(s3: Emulator) -> DatedStore:
    """Return a prefix of its own."""
    opened = open_store(f"s3://recordings/{fresh()}/{{date}}")
    assert isinstance(opened, DatedStore)
    return opened


def test_a_recording_is_below_its_day(store: DatedStore) -> None:
    """Its logical path is without the day, whichever it was."""
    old = [("a", "shop", SPAN, b"old"), ("boot-1", "shop", SPAN, b"tape")]
    store.put_on(old, [DAY_NS * 20000] * 2)
    store.put("a", "shop", OTHER, b"new")
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert sorted(one.key for one in store.blobs.list()) == [
        f"2024-10-04/a/shop/trace.{SPAN}.bin",
        f"2024-10-04/boot-1/shop/boot.{SPAN}.bin",
        f"{today}/a/shop/trace.{OTHER}.bin",
    ]
    again = open_store(store.url)
    assert [one.path for one in again.list(folder="a")] == [
        f"a/shop/trace.{OTHER}.bin",
        f"a/shop/trace.{SPAN}.bin",
    ]
    assert again.get(f"a/shop/trace.{SPAN}.bin") == b"old"
    assert again.get("a/shop/trace.bin") == b"new"
    assert again.get("boot-1/shop/boot.bin") == b"tape"


def test_packs_are_of_all_days(store: DatedStore) -> None:
    """They are listed, read and deleted with the others."""
    store.blobs.put(".packs/2026-01-01/1.pack", make_pack([("p", "shop", SPAN, b"packed")]))
    assert [one.path for one in store.list()] == [f"p/shop/trace.{SPAN}.bin"]
    assert store.get("p/shop/trace.bin") == b"packed"
    store.delete(f"p/shop/trace.{SPAN}.bin")
    assert list(store.blobs.list()) == []


def test_what_is_deleted_is_gone(store: DatedStore) -> None:
    """And what never was is not stored."""
    path = store.put("a", "shop", SPAN, b"x")
    store.delete(path)
    for ask in (store.get, store.stat, store.delete):
        with pytest.raises(NotStored):
            ask(path)


def test_one_that_is_shipped_twice_is_there_once(store: DatedStore, tmp_path: Path) -> None:
    """By its time in the spool, whatever the day is by now."""
    spool = Spool(str(tmp_path / "spool"))
    spool.make()
    name = f"0{DAY_NS * 20000:019d}~3~1~a~shop~{SPAN}"
    for _ in range(2):
        (tmp_path / "spool" / "waiting" / name).write_bytes(b"old")
        assert Shipper(spool, store).ship().shipped == 1
    assert [one.key for one in store.blobs.list()] == [f"2024-10-04/a/shop/trace.{SPAN}.bin"]


@pytest.mark.parametrize("url", ["s3://bucket/{date}/x", "s3://bucket/{day}", "s3://{date}"])
def test_another_template_is_refused(url: str) -> None:
    """Only the date, only at the end."""
    with pytest.raises(ConfigurationError):
        open_store(url)


def test_many_are_deleted_at_once(store: DatedStore) -> None:
    """Of several days and of packs, each answered for; one in both is gone from both."""
    given = [(letter, "shop", SPAN, letter.encode()) for letter in "abcd"]
    store.put_on(given, [DAY_NS * day for day in (20000, 20001, 20001, 20002)])
    packed = [("a", "shop", SPAN, b"a"), ("p", "shop", SPAN, b"packed"), ("q", "shop", SPAN, b"q")]
    store.blobs.put(".packs/2026-01-01/1.pack", make_pack(packed))
    asked = [f"{letter}/shop/trace.{SPAN}.bin" for letter in "abp"]
    answers = store.delete_all([*asked, "c/shop/trace.bin", f"n/shop/trace.{SPAN}.bin"])
    assert answers[:4] == [None] * 4
    assert isinstance(answers[4], NotStored)
    assert sorted(one.folder for one in open_store(store.url).list()) == ["d", "q"]


def test_many_are_changed_in_place(store: DatedStore) -> None:
    """Where each of them is."""
    given = [(letter, "shop", SPAN, letter.encode()) for letter in "ab"]
    store.put_on(given, [DAY_NS * 20000, DAY_NS * 20001])
    store.blobs.put(".packs/2026-01-01/1.pack", make_pack([("p", "shop", SPAN, b"p")]))
    asked = [f"{letter}/shop/trace.{SPAN}.bin" for letter in "abp"]
    assert store.rewrite(asked, lambda _, data: data * 3) == [None] * 3
    assert [open_store(store.url).get(path) for path in asked] == [b"aaa", b"bbb", b"ppp"]
