"""`retrace share` and `retrace audit`: who may read what, and who did."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.audit import audit, audited
from retrace_core.errors import StoreError
from retrace_core.store import DirectoryStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def lines(output: str) -> list[dict[str, Any]]:
    """Return the objects of output that has one on each line."""
    return [json.loads(line) for line in output.splitlines()]


def test_a_folder_can_not_be_shared(
    inside: Callable[..., Any], put: Callable[..., Path], tmp_path: Path
) -> None:
    """It says so, and what to do; nothing is in the audit log."""
    put("a" * 32)
    done = inside("share", "aaaaaa", "--for", "1h")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no URLs" in done.stderr
    assert "s3://" in done.stderr
    assert not (tmp_path / "recordings" / ".audit").exists()


@pytest.mark.parametrize("span", ["soon", "1s", "8d", "-1h", ""])
def test_a_wrong_time_is_refused(
    inside: Callable[..., Any], put: Callable[..., Path], span: str
) -> None:
    """What no cloud signs for."""
    put("a" * 32)
    assert inside("share", "aaaaaa", "--for", span).returncode == 2


def test_a_replay_is_audited_once(shop: Callable[..., Any]) -> None:
    """Also where the process starts itself again for the hash seed."""
    before = len(lines(shop("audit", "--action", "replay").stdout))
    assert shop("replay", "trace-buy/shop").returncode == 0
    found = lines(shop("audit", "--action", "replay").stdout)
    assert len(found) == before + 1
    assert found[-1]["paths"] == ["trace-buy/shop/trace.bin"]


def test_the_log_may_be_a_file_or_off(tmp_path: Path) -> None:
    """A file is appended to by several at once, line by line; off writes nothing."""
    store = DirectoryStore(tmp_path)
    file = str(tmp_path / "audit.jsonl")
    threads = [
        threading.Thread(target=audit, args=(store, "fetch", [str(n)]), kwargs={"setting": file})
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    audit(store, "fetch", ["off"], setting="off")
    found = [one["paths"][0] for one in audited(store, setting=file)]
    assert sorted(found, key=int) == [str(n) for n in range(20)]
    assert list(audited(store)) == []
    assert (tmp_path / "audit.jsonl").stat().st_mode & 0o777 == 0o600


def test_many_paths_are_counted(tmp_path: Path) -> None:
    """A line stays short, and says how many there were."""
    store = DirectoryStore(tmp_path)
    audit(store, "prune", [str(n) for n in range(5000)])
    (line,) = audited(store)
    assert (line["count"], len(line["paths"])) == (5000, 1000)


def test_strange_lines_are_passed_over(tmp_path: Path) -> None:
    """Whatever is in the log that is none of ours, the rest is shown, from a time on."""
    store = DirectoryStore(tmp_path)
    audit(store, "share", ["x"])
    store.blobs.put(".audit/2020-01-01/1-a.jsonl", b'{"at": "2020-01-01T00:00:00+00:00"}')
    store.blobs.put(".audit/9999-01-01/1-a.jsonl", b"\xff no JSON")
    store.blobs.put(".audit/9999-01-01/1-b.jsonl", b'["a list"]')
    assert len(list(audited(store))) == 2
    assert [one["action"] for one in audited(store, since_ns=10**18 * 17 // 10)] == ["share"]


def test_a_log_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """A file that RETRACE_AUDIT names and nobody wrote."""
    with pytest.raises(StoreError, match="can't be read"):
        list(audited(DirectoryStore(tmp_path), setting=str(tmp_path / "none")))
