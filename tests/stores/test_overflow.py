"""A folder that does not get all in time: nothing is dropped, and all is in its place soon."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from retrace_core import cli
from retrace_core.cli import store_checks
from retrace_core.overflow import overflow_folder
from retrace_core.settings import resolve
from retrace_core.store import DirectoryStore
from tests.stores.test_uploader import run, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANY = 400
LIMITS = {
    "RETRACE_SPOOL": "",
    "RETRACE_QUEUE_BYTES": str(2 << 20),
    "RETRACE_LIMITS_PER_SECOND": "0",
    "RETRACE_LIMITS_PER_ROUTE_PER_MINUTE": "0",
    "RETRACE_LIMITS_OVERHEAD": "0",
}
RUSH = f"""
from retrace_core.store.directory import DirectoryStore

asked = threading.Event()
put_all = DirectoryStore.put_all

def late(self, recordings):
    asked.wait(20)  # the disk is busy until then
    return put_all(self, recordings)

DirectoryStore.put_all = late
for number in range({MANY}):
    ask("200 OK" if number % 9 else "500 Oh")
asked.set()
until(lambda: stats().get("written") == {MANY})
assert stats()["overflowed"] >= 64, stats()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[str]:
    """Return where recordings go; what overflowed is removed at the end."""
    path = str(tmp_path / "recordings")
    yield path
    shutil.rmtree(overflow_folder(path), ignore_errors=True)


KILLED = "os.kill(os.getpid(), 9)"
"""What ends a process so that it has no time for anything."""


def rush(folder: str, tmp_path: Path, then: str) -> None:
    """Run a process that records more at once than its disk takes."""
    done = run(RUSH + then, folder, tmp_path, **LIMITS)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr


def kept(folder: str) -> int:
    """Return how many recordings are in their places."""
    return sum(1 for _ in DirectoryStore(folder).list())


def test_a_rush_overflows_and_settles(folder: str, tmp_path: Path) -> None:
    """While the process runs, when the rush is over."""
    rush(folder, tmp_path, "until(lambda: stats().get('shipped', 0) == stats()['overflowed'])")
    assert kept(folder) == MANY
    assert waiting(tmp_path / overflow_folder(folder)) == 0


def test_the_end_of_the_process_settles_the_rest(folder: str, tmp_path: Path) -> None:
    """On its own thread: none is begun any more."""
    rush(folder, tmp_path, "")
    assert kept(folder) == MANY


def test_what_a_killed_process_left_is_settled_by_the_next(folder: str, tmp_path: Path) -> None:
    """As soon as it records into the same folder."""
    rush(folder, tmp_path, KILLED)
    assert kept(folder) < MANY
    left = MANY - kept(folder)
    code = f"ask()\nuntil(lambda: stats().get('shipped') == {left})"
    done = run(code, folder, tmp_path, **LIMITS)
    assert done.returncode == 0, done.stderr
    assert kept(folder) == MANY + 1


def test_doctor_says_what_is_left_and_how_to_settle_it(
    folder: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By a command that does it."""
    rush(folder, tmp_path, KILLED)
    monkeypatch.setattr(store_checks, "_OLD_S", 0)
    found = {one.what: one for one in store_checks.check_overflow(folder, resolve({}))}
    assert found["overflow"].verdict == "ok"
    assert found["backlog"].verdict == "problem"
    _, _, command = found["backlog"].words.partition("or retrace ")
    assert cli.run(shlex.split(command)) == 0, capsys.readouterr().err
    assert kept(folder) == MANY


def test_doctor_passes_over_a_folder_that_never_overflowed(folder: str) -> None:
    """And makes nothing there."""
    assert not list(store_checks.check_overflow(folder, resolve({})))
    assert not os.path.exists(overflow_folder(folder))
