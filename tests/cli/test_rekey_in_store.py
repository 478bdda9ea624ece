"""rekey of a bucket: all that is in it, in packs and boot tapes; or nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.encryption import encrypting, is_encrypted, new_key
from retrace_core.store import open_store
from retrace_core.store.pack import make_pack
from retrace_core.trace_file import dump
from tests.stores.conftest import azure, azure_for_all, gcs, gcs_for_all, s3, s3_for_all
from tests.trace_file.test_trace_file import draft

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retrace_core.store import Store

__all__ = ["azure", "azure_for_all", "gcs", "gcs_for_all", "s3", "s3_for_all"]

SPAN = "0123456789abcdef"
PACKED = f"{'c' * 32}/shop/trace.{SPAN}.bin"
PATHS = [f"{'a' * 32}/shop/trace.bin", "boot-1/shop/boot.bin", PACKED]


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    """Two keys: their public parts; the private ones are in files of their names."""
    made = {name: new_key() for name in ("old", "new")}
    for name, (private, _) in made.items():
        (tmp_path / f"{name}.txt").write_text(private)
    return {name: public for name, (_, public) in made.items()}


@pytest.fixture
def store(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    keys: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Store:
    """A bucket: a recording, a boot tape, and two recordings in a pack."""
    scheme = getattr(request, "param", "s3")
    request.getfixturevalue({"s3": "s3", "gs": "gcs", "az": "azure"}[scheme])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    opened = open_store(f"{scheme}://recordings/rekey-{time.time_ns()}")
    locked = encrypting(keys["old"], "encrypt_to")(dump(draft()))
    opened.put("a" * 32, "shop", SPAN, locked)
    opened.put("boot-1", "shop", SPAN, locked)
    packed = [("c" * 32, "shop", SPAN, locked), ("d" * 32, "shop", SPAN, dump(draft()))]
    opened.blobs.put(".packs/2026-11-28/1.pack", make_pack(packed))
    return opened


def contents(store: Store) -> dict[str, bytes]:
    """Return all that is in a bucket, read by a process that has seen nothing yet."""
    again = open_store(store.url)
    return {one.path: again.get(one.path) for one in again.list(boot_tapes=True)}


@pytest.mark.parametrize("store", ["s3", "gs", "az"], indirect=True)
def test_all_of_a_bucket(
    inside: Callable[..., Any], store: Store, keys: dict[str, str], tmp_path: Path
) -> None:
    """The new key opens it, the old one nothing; what was in clear text is encrypted."""
    old, new = str(tmp_path / "old.txt"), str(tmp_path / "new.txt")
    assert inside("show", "aaaaaa", "--recordings", store.url, "--identity", old).returncode == 0
    done = inside("rekey", store.url, "--identity", old, "--to", keys["new"])
    assert done.returncode == 0, done.stderr
    after = contents(store)
    assert sorted(after)[:3] == sorted(PATHS) and len(after) == 4
    assert all(map(is_encrypted, after.values()))
    for trace in ("aaaaaa", "cccccc", "dddddd"):
        shown = inside("show", trace, "--recordings", store.url, "--identity", new)
        assert shown.returncode == 0, shown.stderr
        assert inside("show", trace, "--recordings", store.url, "--identity", old).returncode == 2
    assert len(list(store.blobs.list(".packs"))) == 1
    assert "rekey" in inside("audit", "--recordings", store.url).stdout


def test_nothing_is_written_when_one_cannot_be_read(
    inside: Callable[..., Any], store: Store, keys: dict[str, str], tmp_path: Path
) -> None:
    """A recording that the keys at hand don't open."""
    store.put("e" * 32, "shop", SPAN, encrypting(keys["new"], "encrypt_to")(dump(draft())))
    before = contents(store)
    old = str(tmp_path / "old.txt")
    done = inside("rekey", store.url, "--identity", old, "--to", keys["new"])
    assert done.returncode == 2
    assert "--identity" in done.stderr
    assert contents(store) == before


def test_one_trace_of_it(
    inside: Callable[..., Any], store: Store, keys: dict[str, str], tmp_path: Path
) -> None:
    """By its id, of a pack; the others are as they were."""
    before = contents(store)
    old = str(tmp_path / "old.txt")
    more = ("--recordings", store.url, "--identity", old, "--to", keys["new"])
    assert inside("rekey", "cccccc", *more).returncode == 0
    after = contents(store)
    assert [path for path in before if before[path] != after[path]] == [PACKED]
    assert inside("rekey", "ffffff", *more).returncode == 2


def test_after_a_death_midway_both_keys_finish_it(
    inside: Callable[..., Any], store: Store, keys: dict[str, str], tmp_path: Path
) -> None:
    """Some are for the new key, and an older generation of the pack is left behind."""
    old, new = str(tmp_path / "old.txt"), str(tmp_path / "new.txt")
    (pack,) = list(store.blobs.list(".packs"))
    bytes_before = store.blobs.get(pack.key)
    done = inside(
        "rekey", "cccccc", "--recordings", store.url, "--identity", old, "--to", keys["new"]
    )
    assert done.returncode == 0, done.stderr
    store.blobs.put(pack.key, bytes_before)  # as where it died before it removed that
    both = ("--identity", old, "--identity", new)
    done = inside("rekey", store.url, *both, "--to", keys["new"])
    assert done.returncode == 0, done.stderr
    for trace in ("aaaaaa", "cccccc", "dddddd"):
        shown = inside("show", trace, "--recordings", store.url, "--identity", new)
        assert shown.returncode == 0, shown.stderr
    assert len(list(store.blobs.list(".packs"))) == 1
