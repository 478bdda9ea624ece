"""Contract: what every store must do; a class of tests to inherit, with a fixture `store`."""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.errors import NotStored, StoreCannot, StoreError

if TYPE_CHECKING:
    from retrace_core.store import Blobs, Store

__all__ = ["BlobsContract", "StoreContract"]

SPAN, OTHER = "b" * 16, "c" * 16
UNSAFE = [
    "../x/trace.bin",
    "a/b/c",
    "a/../trace.bin",
    "/etc/passwd",
    "",
    "a/shop/trace.bin/",
    "a/shop/trace.bin\0",
    "a//trace.bin",
    "a/shop/trace.ö.bin",
    "a/shop/trace.bin?x=1",
    "a\n/shop/trace.bin",
]


def fresh() -> str:
    """Return a trace id that no other test has."""
    return uuid.uuid4().hex


class StoreContract:
    """Inherit it, and have a fixture `store` that returns a `Store` of any content."""

    def test_what_was_put_comes_back(self, store: Store) -> None:
        """The path is that of the contract, and the bytes are the same."""
        trace = fresh()
        path = store.put(trace, "shop", SPAN, b"bytes\0\xff")
        assert path == f"{trace}/shop/trace.bin"
        assert store.get(path) == b"bytes\0\xff"

    def test_an_empty_recording_comes_back(self, store: Store) -> None:
        """Nothing is a value, too."""
        assert store.get(store.put(fresh(), "shop", SPAN, b"")) == b""

    def test_a_later_recording_gets_a_path_of_its_own(self, store: Store) -> None:
        """Nothing is overwritten."""
        trace = fresh()
        first = store.put(trace, "shop", SPAN, b"first")
        second = store.put(trace, "shop", OTHER, b"second")
        third = store.put(trace, "shop", OTHER, b"third")
        assert second == f"{trace}/shop/trace.{OTHER}.bin"
        assert third == f"{trace}/shop/trace.{OTHER}.2.bin"
        assert [store.get(path) for path in (first, second, third)] == [
            b"first",
            b"second",
            b"third",
        ]

    def test_the_same_recording_is_kept_once(self, store: Store) -> None:
        """Whoever had no word that it was kept may put it again."""
        trace = fresh()
        store.put(trace, "shop", SPAN, b"first")
        for _ in range(3):
            assert store.put(trace, "shop", SPAN, b"first") == f"{trace}/shop/trace.bin"
            assert store.put(trace, "shop", OTHER, b"other") == f"{trace}/shop/trace.{OTHER}.bin"
        assert len(list(store.list(folder=trace))) == 2

    def test_writers_at_once_never_overwrite(self, store: Store) -> None:
        """Each of many that claim one path at one moment is kept, once."""
        trace, together = fresh(), threading.Barrier(8)
        paths: list[str] = []

        def write(number: int) -> None:
            together.wait()
            for turn in range(2):
                span_id = f"{number:08x}{turn:08x}"
                paths.append(store.put(trace, "shop", span_id, f"{number} {turn}".encode()))

        threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(paths)) == 16
        assert f"{trace}/shop/trace.bin" in paths
        found = [one.path for one in store.list(folder=trace)]
        assert sorted(found) == sorted(paths)
        assert {store.get(path) for path in found} == {
            f"{number} {turn}".encode() for number in range(8) for turn in range(2)
        }

    def test_the_same_recording_put_by_many_at_once_is_kept_once(self, store: Store) -> None:
        """Two that ship the same file end with one in the store."""
        trace, together = fresh(), threading.Barrier(6)
        paths: list[str] = []

        def write() -> None:
            together.wait()
            paths.append(store.put(trace, "shop", SPAN, b"the same" * 100))

        threads = [threading.Thread(target=write) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(paths) == {f"{trace}/shop/trace.bin"}
        assert len(paths) == 6
        assert len(list(store.list(folder=trace))) == 1

    def test_a_trace_is_listed_whole(self, store: Store) -> None:
        """All its services, with sizes and times."""
        trace = fresh()
        before = time.time_ns() - 2_000_000_000  # clocks of stores know whole seconds, some
        store.put(trace, "shop", SPAN, b"12345")
        store.put(trace, "billing", OTHER, b"1")
        store.put(fresh(), "shop", SPAN, b"other")
        found = sorted(store.list(folder=trace), key=lambda one: one.path)
        assert [(one.path, one.folder, one.service, one.size_bytes) for one in found] == [
            (f"{trace}/billing/trace.bin", trace, "billing", 1),
            (f"{trace}/shop/trace.bin", trace, "shop", 5),
        ]
        assert all(before <= one.modified_ns <= time.time_ns() + 2_000_000_000 for one in found)

    def test_a_trace_is_found_by_how_it_begins(self, store: Store) -> None:
        """The beginning of an id is enough."""
        trace = fresh()
        store.put(trace, "shop", SPAN, b"1")
        assert [one.folder for one in store.list(begins=trace[:16])] == [trace]
        assert list(store.list(begins=f"{trace}0")) == []

    def test_a_folder_is_no_beginning(self, store: Store) -> None:
        """A trace whose id begins like another's is not among that one."""
        trace = fresh()
        store.put(f"{trace}-2", "shop", SPAN, b"1")
        assert list(store.list(folder=trace)) == []

    def test_one_service_is_listed(self, store: Store) -> None:
        """The others are passed over."""
        trace = fresh()
        store.put(trace, "shop", SPAN, b"1")
        store.put(trace, "shop.2", SPAN, b"1")
        assert [one.service for one in store.list(begins=trace, service="shop")] == ["shop"]

    def test_a_time_is_listed(self, store: Store) -> None:
        """Both ends count, by the clock of the store."""
        trace = fresh()
        kept = store.stat(store.put(trace, "shop", SPAN, b"1")).modified_ns
        for since, until, there in [
            (kept, kept, 1),
            (kept + 1, kept + 10**12, 0),
            (0, kept - 1, 0),
        ]:
            assert len(list(store.list(folder=trace, since_ns=since, until_ns=until))) == there

    def test_boot_tapes_are_listed_when_asked_for(self, store: Store) -> None:
        """By their folder, or with all."""
        folder = f"boot-{fresh()}"
        path = store.put(folder, "shop", SPAN, b"tape")
        assert path == f"{folder}/shop/boot.bin"
        assert [one.path for one in store.list(folder=folder)] == [path]
        assert list(store.list(begins=folder)) == []
        assert [one.path for one in store.list(begins=folder, boot_tapes=True)] == [path]

    def test_foreign_names_are_passed_over(self, store: Store) -> None:
        """Blobs beside recordings are no recordings."""
        trace = fresh()
        store.put(trace, "shop", SPAN, b"1")
        store.blobs.put(f"{trace}/shop/trace.verified.json", b"{}")
        store.blobs.put(f"{trace}/notes.txt", b"hello")
        assert len(list(store.list(folder=trace))) == 1

    def test_stat_says_what_the_list_says(self, store: Store) -> None:
        """Of one path."""
        trace = fresh()
        path = store.put(trace, "shop", SPAN, b"123")
        assert [store.stat(path)] == list(store.list(folder=trace))

    def test_what_is_deleted_is_gone(self, store: Store) -> None:
        """And only that."""
        trace = fresh()
        first = store.put(trace, "shop", SPAN, b"1")
        second = store.put(trace, "shop", OTHER, b"2")
        store.delete(first)
        assert [one.path for one in store.list(folder=trace)] == [second]
        with pytest.raises(NotStored):
            store.get(first)
        with pytest.raises(NotStored):
            store.stat(first)

    def test_what_was_never_there_is_not_stored(self, store: Store) -> None:
        """The error says so, and names the path."""
        path = f"{fresh()}/shop/trace.bin"
        with pytest.raises(NotStored, match=path.partition("/")[0]):
            store.get(path)
        with pytest.raises(NotStored):
            store.stat(path)
        assert list(store.list(folder=path.partition("/")[0])) == []

    @pytest.mark.parametrize("path", UNSAFE)
    def test_a_path_out_of_the_store_is_refused(self, store: Store, path: str) -> None:
        """Nothing but a recording's own path is read, deleted or signed."""
        for use in (store.get, store.stat, store.delete, store.presign):
            with pytest.raises(StoreError) as caught:
                use(path)
            assert not isinstance(caught.value, NotStored)

    @pytest.mark.parametrize(
        "names",
        [
            ("..", "shop", SPAN),
            ("a", "..", SPAN),
            ("a", "shop", "../b"),
            ("", "shop", SPAN),
            (".packs", "shop", SPAN),
            ("a", "shop", "no span"),
        ],
    )
    def test_unsafe_names_are_refused(self, store: Store, names: tuple[str, str, str]) -> None:
        """A recording gets no path outside the contract."""
        with pytest.raises(StoreError):
            store.put(*names, b"x")

    def test_it_is_opened_by_its_url_again(self, store: Store) -> None:
        """What one puts the other has."""
        from retrace_core.store import open_store

        path = store.put(fresh(), "shop", SPAN, b"1")
        assert open_store(store.url).get(path) == b"1"

    def test_a_presigned_url_is_read_by_anybody(self, store: Store) -> None:
        """Or the store says that it can't."""
        import urllib.request

        path = store.put(fresh(), "shop", SPAN, b"shared")
        try:
            url = store.presign(path, expires_s=60)
        except StoreCannot:
            return
        with urllib.request.urlopen(url) as response:
            assert response.read() == b"shared"


class BlobsContract:
    """Inherit it, and have a fixture `blobs` that returns `Blobs` of any content."""

    def test_a_key_is_taken_once(self, blobs: Blobs) -> None:
        """The first stays."""
        key = f".packs/{fresh()}.pack"
        assert blobs.put(key, b"first")
        assert not blobs.put(key, b"second")
        assert blobs.get(key) == b"first"

    def test_a_part_comes_back(self, blobs: Blobs) -> None:
        """From a place on, and so many bytes."""
        key = f".packs/{fresh()}"
        blobs.put(key, b"0123456789")
        assert blobs.get(key, start=3, length=4) == b"3456"
        assert blobs.get(key, start=8) == b"89"
        assert blobs.get(key, start=8, length=10) == b"89"
        assert blobs.get(key, length=0) == b""

    def test_a_folder_is_listed_at_any_depth(self, blobs: Blobs) -> None:
        """And no other."""
        folder = f".packs/{fresh()}"
        keys = [f"{folder}/a", f"{folder}/b/c"]
        for key in [*keys, f"{folder}-2/a"]:
            blobs.put(key, b"12")
        found = sorted(blobs.list(folder), key=lambda one: one.key)
        assert [(one.key, one.size_bytes) for one in found] == [(key, 2) for key in keys]
        assert blobs.stat(keys[0]) == found[0]

    def test_what_is_deleted_is_gone(self, blobs: Blobs) -> None:
        """Twice is no error."""
        key = f".packs/{fresh()}"
        blobs.put(key, b"1")
        blobs.delete(key)
        blobs.delete(key)
        for ask in (blobs.get, blobs.stat):
            with pytest.raises(NotStored):
                ask(key)
        assert list(blobs.list(key)) == []

    @pytest.mark.parametrize("key", ["", "/a", "a/../b", "..", "a//b", "a\0", "ä", "a/", ".."])
    def test_an_unsafe_key_is_refused(self, blobs: Blobs, key: str) -> None:
        """Nothing outside the store is touched."""
        uses: list[Any] = [lambda: blobs.put(key, b""), lambda: blobs.get(key)]
        for use in [*uses, lambda: blobs.stat(key), lambda: blobs.delete(key)]:
            with pytest.raises(StoreError):
                use()
