"""Deletions: receipts of each, marks that come in between, boot tapes that nobody needs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from retrace_core.errors import NotStored, StoreError
from retrace_core.retention import (
    Condemned,
    Marks,
    Receipt,
    delete_all,
    lift,
    mark,
    marks_of,
    unused_boot_tapes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retrace_core.store import DirectoryStore


def condemned(*paths: str) -> list[Condemned]:
    """Return recordings that go, for no reason."""
    return [Condemned(path, 1, 2, "", "age", "because") for path in paths]


def receipts_in(store: DirectoryStore) -> Iterator[tuple[str, list[Receipt]]]:
    """Yield each blob of receipts: how it is called, and what is in it."""
    for blob in store.blobs.list(".receipts"):
        lines = store.blobs.get(blob.key).splitlines()
        yield blob.key, [msgspec.json.decode(line, type=Receipt) for line in lines]


def paths_in(store: DirectoryStore) -> list[str]:
    """Return what is in the store."""
    return sorted(one.path for one in store.list(boot_tapes=True))


def test_each_deletion_has_a_receipt(store: DirectoryStore, put: Callable[..., str]) -> None:
    """In the store and in the hands of the caller; what was begun is no longer there."""
    paths = [put() for _ in range(3)]
    stays = put()
    told: list[Receipt] = []
    done = delete_all(
        store,
        condemned(*paths, "f" * 32 + "/shop/trace.bin"),
        by="me",
        host="here",
        tell=told.append,
    )
    assert paths_in(store) == [stays]
    assert done.outcomes == {"deleted": 3, "gone": 1}
    ((key, kept),) = receipts_in(store)
    assert kept == told
    assert [one.path for one in kept][:3] == paths
    assert {(one.by, one.host, one.rule, one.run) for one in kept} == {
        ("me", "here", "age", done.run)
    }
    assert key.endswith(f"{done.run}-000001.jsonl")


def test_what_was_begun_is_written_down_first(
    store: DirectoryStore, put: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the process is ended in a batch, the list of what it was about stays."""
    path = put()

    def ended(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "delete", ended)
    with pytest.raises(KeyboardInterrupt):
        delete_all(store, condemned(path), by="me", host="here")
    ((key, (receipt,)),) = receipts_in(store)
    assert key.endswith(".begun.jsonl")
    assert (receipt.path, receipt.outcome) == (path, "deleting")


def test_without_receipts_nothing_is_deleted(
    store: DirectoryStore, put: Callable[..., str]
) -> None:
    """A store that takes no receipts keeps its recordings."""
    path = put()
    with open(f"{store.root}/.receipts", "w"):
        pass  # a file where the folder would be
    with pytest.raises(StoreError):
        delete_all(store, condemned(path), by="me", host="here")
    assert paths_in(store) == [path]


def test_a_mark_that_came_meanwhile_is_heeded(
    store: DirectoryStore, put: Callable[..., str]
) -> None:
    """Between choosing and deleting somebody marked it."""
    path = put()
    mark(store, path)
    done = delete_all(store, condemned(path), by="me", host="here")
    assert (done.outcomes, paths_in(store)) == ({"kept": 1}, [path])


def test_a_keep_mark_yields_to_erasure_and_a_hold_does_not(
    store: DirectoryStore, put: Callable[..., str]
) -> None:
    """The law of erasure beats a wish, and a legal hold beats both."""
    wished, held = put(), put()
    mark(store, wished)
    mark(store, held, hold=True)
    done = delete_all(store, condemned(wished, held), by="me", host="here", erase=True)
    assert (done.outcomes, paths_in(store)) == ({"deleted": 1, "kept": 1}, [held])


def test_marks_end_and_are_lifted(store: DirectoryStore, put: Callable[..., str]) -> None:
    """A mark is in force until its time; any of several suffices; each kind is lifted by itself."""
    path, now_ns = put(), time.time_ns()
    mark(store, path, until_ns=now_ns - 1)
    assert not Marks(store, now_ns).is_kept(path)
    mark(store, path, until_ns=now_ns + 10**12)
    mark(store, path, hold=True)
    assert Marks(store, now_ns).is_held(path)
    assert lift(store, path, holds=False) == 2
    assert Marks(store, now_ns).is_kept(path)
    assert lift(store, path, holds=True) == 1
    assert list(marks_of(store)) == []


def test_only_what_is_there_is_marked(store: DirectoryStore) -> None:
    """A mark of nothing would be a false comfort."""
    with pytest.raises(NotStored):
        mark(store, "f" * 32 + "/shop/trace.bin")


@pytest.mark.parametrize("content", [b"", b"{", b'{"path": "another/one/trace.bin"}', b"\xff" * 9])
def test_a_mark_that_can_not_be_read_is_a_hold(
    store: DirectoryStore, put: Callable[..., str], content: bytes
) -> None:
    """Damage protects, and does not expose."""
    path = put()
    store.blobs.put(f".keep/{path}/1-aa.json", content)
    assert Marks(store, time.time_ns()).is_held(path)


def test_marks_that_can_not_be_listed_stop_all(
    store: DirectoryStore, put: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows what is marked, so nothing goes."""
    path = put()

    class Broken(type(store.blobs)):  # type: ignore[misc]
        def list(self, folder: str = "") -> Iterator[object]:
            raise StoreError(f"{folder} can't be listed")

    monkeypatch.setattr(type(store), "blobs", property(lambda self: Broken(self.root)))
    with pytest.raises(StoreError):
        delete_all(store, condemned(path), by="me", host="here")
    assert paths_in(store) == [path]


def test_unused_boot_tapes_are_found(store: DirectoryStore) -> None:
    """Those that no recording refers to, old enough, and among those asked about."""
    for number in (1, 2):
        store.put(f"boot-{number}" + "a" * 30, "shop", "b" * 16, b"tape")
    first, second = ("boot-" + one + "a" * 30 + "/shop" for one in "12")
    later = time.time_ns() + 10**12
    found = unused_boot_tapes(store, {first}, older_than_ns=later)
    assert [one.path for one in found] == [f"{second}/boot.bin"]
    assert unused_boot_tapes(store, set(), older_than_ns=0) == []
    assert unused_boot_tapes(store, set(), older_than_ns=later, among={"x/y"}) == []
