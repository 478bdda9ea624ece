"""`retrace ship` as a daemon: it ships what comes, until it is told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retrace_core.cli import run
from retrace_core.store import DirectoryStore
from retrace_core.store.spool import Spool
from tests.stores.contract import fresh

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """Return an empty one."""
    made = Spool(str(tmp_path / "spool"))
    made.make()
    return made


def put(spool: Spool, count: int) -> None:
    """Put recordings into it."""
    spool.put_all([(0, 1, fresh(), "shop", f"{n:016x}", b"x") for n in range(count)])


def until(done: Callable[[], bool]) -> None:
    """Wait, for a minute at most."""
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def start(spool: Spool, to: Path, *more: str) -> subprocess.Popen[str]:
    """Start it."""
    command = [sys.executable, "-m", "retrace_core.cli", "ship", "--spool", spool.root]
    return subprocess.Popen(
        [*command, "--to", str(to), *more],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_what_comes_is_shipped_at_once_and_sigterm_ends_it(spool: Spool, tmp_path: Path) -> None:
    """Long before the interval: it is woken."""
    store = DirectoryStore(tmp_path / "store")
    put(spool, 3)
    daemon = start(spool, tmp_path / "store", "--interval", "10m")
    try:
        until(lambda: os.path.isdir(store.root) and len(list(store.list())) == 3)
        put(spool, 2)
        until(lambda: len(list(store.list())) == 5)
        daemon.send_signal(signal.SIGTERM)
        said, told = daemon.communicate(timeout=30)
    finally:
        daemon.kill()
    assert daemon.returncode == 0, told
    assert "shipped 3 recordings" in said


def test_two_share_a_spool(spool: Spool, tmp_path: Path) -> None:
    """Each recording is shipped once, by either."""
    store = DirectoryStore(tmp_path / "store")
    daemons = [start(spool, tmp_path / "store", "--interval", "100ms") for _ in range(2)]
    try:
        for _ in range(10):
            put(spool, 20)
        until(lambda: os.path.isdir(store.root) and len(list(store.list())) == 200)
        said = ""
        for daemon in daemons:
            daemon.send_signal(signal.SIGTERM)
            said += daemon.communicate(timeout=30)[0]
    finally:
        for daemon in daemons:
            daemon.kill()
    counts = [int(line.split()[1]) for line in said.splitlines()]
    assert sum(counts) == 200
    assert all(one.path.endswith("/trace.bin") for one in store.list())


def test_once_says_what_is_left(
    spool: Spool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its exit status, too: another has the lock."""
    put(spool, 1)
    command = ["ship", "--once", "--spool", spool.root, "--to", str(tmp_path / "store")]
    with spool.lock():
        assert run(command) == 1
    assert "another shipper" in capsys.readouterr().err
    assert run(command) == 0
    assert "shipped 1 recording " in capsys.readouterr().out


def test_a_store_that_can_not_be_written_is_status_2(
    spool: Spool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the recording stays in the spool."""
    put(spool, 1)
    (tmp_path / "store").write_text("a file")
    command = ["ship", "--once", "--spool", spool.root, "--to", str(tmp_path / "store")]
    assert run(command) == 2
    assert "can't be written" in capsys.readouterr().err
    assert len(spool.list("claimed")) == 1
