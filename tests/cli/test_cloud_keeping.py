"""A bucket of a real S3 emulator: found, kept, pruned, erased, shared, and all of it audited."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.audit import who
from retrace_core.store import open_store
from retrace_core.store.pack import make_pack
from retrace_core.trace_file import dump
from tests.catalog.conftest import header
from tests.stores.conftest import s3, s3_for_all
from tests.trace_file.test_trace_file import draft

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retrace_core.store import Store
    from tests.stores.emulators import Emulator

__all__ = ["s3", "s3_for_all"]


@pytest.fixture
def url(s3: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a prefix of its own in the bucket; the catalog is in a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return f"s3://recordings/keeping-{time.time_ns()}"


@pytest.fixture
def bucket(url: str) -> Store:
    """Three recordings: a and b of user 42, b failed, c of user 7."""
    store = open_store(url)
    for number, (letter, user, status) in enumerate(
        (("a", 42, 200), ("b", 42, 500), ("c", 7, 200))
    ):
        one = draft()
        one.header = header(folder=letter * 32, status=status, tags={"user": user})
        store.put(letter * 32, "shop", f"{number:016x}", dump(one))
    return store


def left(store: Store) -> str:
    """Return the first letters of the traces that are there."""
    return "".join(sorted(one.path[0] for one in store.list()))


def lines(output: str) -> list[dict[str, Any]]:
    """Return the objects of output that has one on each line."""
    return [json.loads(line) for line in output.splitlines()]


def test_found_and_erased(inside: Callable[..., Any], bucket: Store, url: str) -> None:
    """By the catalog of the bucket, which is a file of this user; erased with receipts in there."""
    found = lines(inside("find", "--recordings", url, "--tag", "user=42", "--jsonl").stdout)
    assert sorted(one["folder"][0] for one in found) == ["a", "b"]
    inside("keep", "bbbbbb", "--hold", "--recordings", url)
    done = inside("erase", "--tag", "user=42", "--recordings", url)
    assert (done.returncode, left(bucket)) == (1, "bc")
    assert lines(done.stdout)[0]["outcome"] == "deleted"
    assert len(list(bucket.blobs.list(".receipts"))) == 1
    actions = [line["action"] for line in lines(inside("audit", "--recordings", url).stdout)]
    assert actions == ["hold", "erase"]


def test_erased_out_of_a_pack(inside: Callable[..., Any], bucket: Store, url: str) -> None:
    """The bytes of the user's recording are gone from the pack too, and the others still there."""
    wanted = [("e", "shop", 42), ("f", "shop", 7)]
    packed: list[tuple[str, str, str, bytes]] = []
    for letter, service, user in wanted:
        one = draft()
        one.header = header(folder=letter * 32, tags={"user": user})
        packed.append((letter * 32, service, letter * 16, dump(one)))
    bucket.blobs.put(".packs/2026-11-28/1.pack", make_pack(packed))
    done = inside("erase", "--tag", "user=42", "--recordings", url)
    assert done.returncode == 0, done.stderr
    assert left(open_store(url)) == "cf"
    secret = packed[0][3]
    blobs = [one for one in bucket.blobs.list() if one.key.startswith(".packs")]
    assert blobs
    assert not any(secret in bucket.blobs.get(one.key) for one in blobs)


def test_pruned_by_count(inside: Callable[..., Any], bucket: Store, url: str) -> None:
    """The newest success of the route stays, failures are not counted."""
    assert inside("prune", "--per-route", "1", "--recordings", url).returncode == 0
    assert left(bucket) in ("ab", "bc")


def test_shared_by_a_url(inside: Callable[..., Any], bucket: Store, url: str) -> None:
    """Whoever has the URL reads the bytes without credentials."""
    done = inside("share", "aaaaaa/shop", "--for", "10m", "--recordings", url)
    assert done.returncode == 0, done.stderr
    signed = done.stdout.strip()
    with urllib.request.urlopen(signed, timeout=10) as answer:
        assert answer.read() == bucket.get(f"{'a' * 32}/shop/trace.bin")
    (line,) = lines(inside("audit", "--action", "share", "--recordings", url).stdout)
    assert (line["by"], line["count"]) == (who(), 1)


def test_a_fetch_is_audited(
    inside: Callable[..., Any], bucket: Store, url: str, tmp_path: Path
) -> None:
    """Once: what is here already is not fetched again."""
    for _ in range(2):
        assert inside("fetch", "aaaaaa", "--from", url, "--to", "here").returncode == 0
    (line,) = lines(inside("audit", "--recordings", url).stdout)
    assert (line["action"], line["paths"]) == ("fetch", [f"{'a' * 32}/shop/trace.bin"])


def test_without_a_line_nothing_is_shared_or_deleted(
    inside: Callable[..., Any], bucket: Store, url: str
) -> None:
    """Where the audit log can't be written."""
    env = {"RETRACE_AUDIT": "/nowhere/audit.jsonl"}
    for command in (("share", "aaaaaa"), ("prune", "--bytes", "1"), ("fetch", "aaaaaa")):
        place = "--from" if command[0] == "fetch" else "--recordings"
        done = inside(*command, place, url, env=env)
        assert (done.returncode, done.stdout) == (2, ""), command
    assert left(bucket) == "abc"


def test_lifecycle_of_the_bucket(inside: Callable[..., Any], bucket: Store, url: str) -> None:
    """By the URL alone; and it warns of marks."""
    inside("keep", "aaaaaa", "--recordings", url)
    done = inside("lifecycle", "print", "--older", "7d", "--recordings", f"{url}/{{date}}")
    prefixes = [one["Filter"]["Prefix"] for one in json.loads(done.stdout)["Rules"]]
    assert all(one.startswith(url.removeprefix("s3://recordings/")) for one in prefixes)
    assert "1 recordings are marked" in done.stderr
