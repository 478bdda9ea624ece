"""Nothing that was kept is lost or doubled, whatever is killed, down or full."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from retrace_core.errors import StoreError, StoreUnavailable
from retrace_core.store import DirectoryStore
from retrace_core.store.shipper import Shipper
from retrace_core.store.spool import Spool
from retrace_core.store.spool_budget import dropped_in
from retrace_core.store.spooled_store import SpooledStore
from tests.stores.chaos import chaos
from tests.stores.contract import fresh

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stores.emulators import Emulator


def test_each_kept_recording_is_stored_once_or_counted(s3: Emulator, tmp_path: Path) -> None:
    """Thirty kills and some outages; `python -m tests.stores.chaos 200` does more."""
    outcome = chaos(s3, tmp_path, 30, budget=300_000)
    outcome.check()
    assert outcome.kept
    assert outcome.outages


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a file system of one MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no small file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_what_could_not_be_written_and_no_more(
    small_disk: Path, tmp_path: Path
) -> None:
    """Each put says whether it was kept; once there is room again, puts are kept again."""
    spool = Spool(str(small_disk / "spool"))
    store = SpooledStore(DirectoryStore(tmp_path / "store"), spool, 1 << 30)
    answers: dict[str, str | StoreError] = {}

    def put(failed: bool) -> str | StoreError:
        trace = fresh()
        recording = (trace, "shop", trace[:16], os.urandom(20_000))
        (answers[trace],) = store.put_ranked([recording], [failed])
        return answers[trace]

    while isinstance(put(False), str):
        pass
    full = put(False)
    assert isinstance(full, StoreUnavailable)
    assert "space" in str(full)
    assert isinstance(put(True), str)  # a failure: the oldest successes went for it
    gone = dropped_in(spool.root)[0]
    assert gone
    assert Shipper(spool, store.behind).ship().error is None
    assert isinstance(put(False), str)
    assert Shipper(spool, store.behind).ship().left == 0
    kept = [trace for trace, answer in answers.items() if isinstance(answer, str)]
    stored = {one.folder for one in store.list()}
    assert stored <= set(kept)
    assert len(kept) - len(stored) == gone
    assert os.listdir(spool.waiting) == []
