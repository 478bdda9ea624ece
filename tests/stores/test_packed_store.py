"""Recordings in packs are found, read and deleted as others are."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING

import pytest

from retrace_core.errors import DamagedPack, NotStored, StoreError
from retrace_core.store import open_store
from retrace_core.store.pack import make_pack
from retrace_core.store.packed_store import PackedStore
from tests.stores.contract import OTHER, SPAN, fresh

if TYPE_CHECKING:
    from tests.stores.emulators import Emulator


@pytest.fixture
def store(s3: Emulator) -> PackedStore:
    """Return a prefix of its own."""
    opened = open_store(f"s3://recordings/{fresh()}")
    assert isinstance(opened, PackedStore)
    return opened


def pack(store: PackedStore, *recordings: tuple[str, str, str, bytes], name: str = "1") -> str:
    """Put a pack, and return its key."""
    key = f".packs/2026-11-28/{name}.pack"
    assert store.blobs.put(key, make_pack(recordings))
    return key


def paths(store: PackedStore) -> list[str]:
    """Return all that is listed, by another store, which has seen nothing yet."""
    return sorted(one.path for one in open_store(store.url).list(boot_tapes=True))


def test_a_packed_recording_is_listed_and_read(store: PackedStore) -> None:
    """By its path with the span, and as the trace.bin of its service."""
    pack(store, ("a", "shop", SPAN, b"one"), ("b", "shop", OTHER, b"two"))
    store.put("c", "shop", SPAN, b"three")
    assert paths(store) == [
        f"a/shop/trace.{SPAN}.bin",
        f"b/shop/trace.{OTHER}.bin",
        "c/shop/trace.bin",
    ]
    assert store.get(f"a/shop/trace.{SPAN}.bin") == b"one"
    assert store.get("b/shop/trace.bin") == b"two"
    assert store.stat("b/shop/trace.bin").size_bytes == 3
    assert [one.path for one in store.list(folder="a")] == [f"a/shop/trace.{SPAN}.bin"]
    assert [one.folder for one in store.list(begins="b")] == ["b"]
    with pytest.raises(NotStored):
        store.get("d/shop/trace.bin")


def test_a_large_index_is_read_whole(store: PackedStore) -> None:
    """One that is longer than what is read of a pack at first."""
    given = [(fresh(), "shop", f"{n:016x}", b"%d" % n) for n in range(1000)]
    pack(store, *given)
    assert len(paths(store)) == 1000
    assert store.get(f"{given[-1][0]}/shop/trace.bin") == b"999"


def test_what_is_deleted_is_gone_from_its_pack(store: PackedStore) -> None:
    """The bytes too, and nothing else; an empty pack is removed."""
    pack(store, ("a", "shop", SPAN, b"secret"), ("b", "shop", OTHER, b"kept"))
    store.delete(f"a/shop/trace.{SPAN}.bin")
    assert paths(store) == [f"b/shop/trace.{OTHER}.bin"]
    assert all(b"secret" not in store.blobs.get(one.key) for one in store.blobs.list())
    assert open_store(store.url).get("b/shop/trace.bin") == b"kept"
    open_store(store.url).delete(f"b/shop/trace.{OTHER}.bin")
    assert list(store.blobs.list()) == []


def test_many_are_deleted_with_one_rewrite(store: PackedStore) -> None:
    """And each is answered for."""
    given = [(fresh(), "shop", f"{n:016x}", b"%d" % n) for n in range(20)]
    pack(store, *given)
    asked = [f"{one[0]}/shop/trace.{one[2]}.bin" for one in given[:15]]
    answers = store.delete_all([*asked, "nowhere/shop/trace.bin"])
    assert answers[:-1] == [None] * 15
    assert isinstance(answers[-1], NotStored)
    assert len(paths(store)) == 5
    (left,) = [one.key for one in store.blobs.list(".packs")]
    assert left.startswith(".packs/2026-11-28/1.1-")


def test_an_older_generation_does_not_count(store: PackedStore) -> None:
    """A process was killed after it had written the next one."""
    pack(store, ("a", "shop", SPAN, b"deleted"), ("b", "shop", OTHER, b"kept"))
    pack(store, ("b", "shop", OTHER, b"kept"), name="1.1")
    assert paths(store) == [f"b/shop/trace.{OTHER}.bin"]
    open_store(store.url).delete(f"b/shop/trace.{OTHER}.bin")
    assert list(store.blobs.list()) == []


def test_a_packed_recording_is_presigned(store: PackedStore) -> None:
    """It is put beside its pack under the same path, and listed once."""
    pack(store, ("a", "shop", SPAN, b"shared"))
    with urllib.request.urlopen(store.presign("a/shop/trace.bin", expires_s=60)) as response:
        assert response.read() == b"shared"
    assert paths(store) == [f"a/shop/trace.{SPAN}.bin"]
    store.delete(f"a/shop/trace.{SPAN}.bin")
    assert list(store.blobs.list()) == []


def test_a_damaged_pack_is_told_and_stays(store: PackedStore) -> None:
    """The others are listed before; nothing of it is deleted."""
    key = ".packs/2026-11-28/0.pack"
    store.blobs.put(key, b"RTPACK1\nrubbish")
    pack(store, ("a", "shop", SPAN, b"one"))
    listed = []
    with pytest.raises(DamagedPack, match=r"2026-11-28/0\.pack"):
        listed.extend(one.path for one in store.list())
    for one in open_store(store.url).list(until_ns=1):
        pytest.fail(one.path)
    store.delete(f"a/shop/trace.{SPAN}.bin")
    assert [one.key for one in store.blobs.list()] == [key]


def test_a_recording_that_was_corrupted_in_its_pack_is_told(store: PackedStore) -> None:
    """Its checksum is not that of the index."""
    data = bytearray(make_pack([("a", "shop", SPAN, b"one")]))
    data[-1] ^= 1
    store.blobs.put(".packs/2026-11-28/0.pack", bytes(data))
    with pytest.raises(DamagedPack, match="corrupted"):
        store.get("a/shop/trace.bin")


def test_a_pack_that_is_written_anew_is_as_old_as_it_was(store: PackedStore) -> None:
    """By the key of its next generations: what is in it does not grow younger."""
    given = [(letter, "shop", SPAN, letter.encode()) for letter in "abcd"]
    pack(store, *given)
    (before,) = {one.modified_ns for one in open_store(store.url).list()}
    for letter in "ab":
        store.delete(f"{letter}/shop/trace.{SPAN}.bin")
        # As if it had been written long before: the key says so.
        (key,) = [one.key for one in store.blobs.list(".packs")]
        kept = before // 10**9
        assert key.endswith(f"-{kept}.pack")
    old = f".packs/2026-11-28/old.3-{kept - 86_400}.pack"
    store.blobs.put(old, make_pack([("o", "shop", SPAN, b"old"), ("p", "shop", SPAN, b"older")]))
    again = open_store(store.url)
    again.delete(f"p/shop/trace.{SPAN}.bin")
    ages = {one.folder: one.modified_ns // 10**9 for one in open_store(store.url).list()}
    assert ages == {"c": kept, "d": kept, "o": kept - 86_400}
    assert again.stat(f"o/shop/trace.{SPAN}.bin").modified_ns // 10**9 == kept - 86_400
    assert [one.folder for one in again.list(until_ns=(kept - 1) * 10**9)] == ["o"]


def test_recordings_are_changed_in_place(store: PackedStore) -> None:
    """Those in packs and those beside them; the others, and their age, stay as they were."""
    pack(store, ("a", "shop", SPAN, b"one"), ("b", "shop", OTHER, b"two"))
    store.put("c", "shop", SPAN, b"three")
    asked = [f"a/shop/trace.{SPAN}.bin", "c/shop/trace.bin", "nowhere/shop/trace.bin"]
    answers = store.rewrite(asked, lambda path, data: path[:1].encode() + data)
    assert answers[:2] == [None, None]
    assert isinstance(answers[2], NotStored)
    again = open_store(store.url)
    kept = {one.folder: again.get(one.path) for one in again.list()}
    assert kept == {"a": b"aone", "b": b"two", "c": b"cthree"}
    assert len(list(store.blobs.list(".packs"))) == 1


def test_what_cannot_be_changed_is_as_it_was(store: PackedStore) -> None:
    """In a pack none of its recordings is changed then."""
    key = pack(store, ("a", "shop", SPAN, b"one"), ("b", "shop", OTHER, b"two"))
    store.put("c", "shop", SPAN, b"three")

    def refuse(path: str, data: bytes) -> bytes:
        if path[0] in "bc":
            raise StoreError(f"{path}: refused")
        return data * 2

    asked = [f"a/shop/trace.{SPAN}.bin", f"b/shop/trace.{OTHER}.bin", "c/shop/trace.bin"]
    assert [str(one)[-7:] for one in store.rewrite(asked, refuse)] == ["refused"] * 3
    assert [one.key for one in store.blobs.list(".packs")] == [key]
    assert open_store(store.url).get(asked[0]) == b"one"
    assert store.get("c/shop/trace.bin") == b"three"


@pytest.mark.parametrize("cloud", ["s3", "gcs", "azure"])
def test_a_change_that_others_overtake_is_made_of_theirs(
    request: pytest.FixtureRequest, cloud: str
) -> None:
    """Nothing that another process wrote in between is lost; what it deleted stays away."""
    request.getfixturevalue(cloud)
    scheme = {"s3": "s3", "gcs": "gs", "azure": "az"}[cloud]
    store = open_store(f"{scheme}://recordings/{fresh()}")
    assert isinstance(store, PackedStore)
    path = store.put("c", "shop", SPAN, b"first")
    calls: list[bytes] = []

    def change(_: str, data: bytes) -> bytes:
        calls.append(data)
        if len(calls) == 1:
            store.blobs.rewrite(path, lambda _: b"second")
        return data + b", changed"

    assert store.rewrite([path], change) == [None]
    assert calls == [b"first", b"second"]
    assert store.get(path) == b"second, changed"

    def deleted(_: str, data: bytes) -> bytes:
        store.blobs.delete(path)
        return data

    assert isinstance(store.rewrite([path], deleted)[0], StoreError)
    with pytest.raises(NotStored):
        store.get(path)
