"""Locks on files: one that was held when it was tried for is held again on replay."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import fcntl, sys
file = open(sys.argv[2], "r+b")
getattr(fcntl, sys.argv[1])(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("name", ["flock", "lockf"])
def test_a_lock_is_free_after_as_many_tries(recordings: Path, tmp_path: Path, name: str) -> None:
    """Another process holds it at first; on replay nobody does."""
    path = tmp_path / "lock"
    path.write_bytes(b"")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, name, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    ended: list[int] = []

    def view() -> str:
        tries = 0
        with path.open("r+b") as file:
            while True:
                try:
                    getattr(fcntl, name)(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    tries += 1
                    if tries == 2 and not ended:
                        ended.append(communicated(holder))
                    assert error.errno
                else:
                    return f"after {tries}"

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert b"".join(recording.response.body) == b"after 2"
    assert_identical(recording, app)


def communicated(process: subprocess.Popen[str]) -> int:
    """End a process that waits for the end of its input; return its status."""
    process.communicate(timeout=10)
    return process.returncode
