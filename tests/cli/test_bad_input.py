"""Bad input, to every command that takes a recording: one clear line, exit status 2."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMANDS = [["show"], ["replay"], ["export", "--format", "har"], ["open"]]


def no_override() -> None:
    """Make root, in the child, one who needs permission to read (Linux)."""
    if os.geteuid() == 0:
        drop_capability, dac_override, dac_read_search = 24, 1, 2
        for capability in (dac_override, dac_read_search):
            ctypes.CDLL(None).prctl(drop_capability, capability, 0, 0, 0)


def unreadable(whole: Path) -> Path:
    """A file without read permission."""
    whole.chmod(0)
    return whole


def truncated(whole: Path) -> Path:
    """A file that lacks its end."""
    whole.write_bytes(whole.read_bytes()[:-20])
    return whole


def damaged(whole: Path) -> Path:
    """A file with a byte turned over in the middle."""
    data = bytearray(whole.read_bytes())
    data[len(data) // 2] ^= 0xFF
    whole.write_bytes(data)
    return whole


def foreign(whole: Path) -> Path:
    """A file of another kind."""
    whole.write_bytes(b"\x7fELF and so on, and so on")
    return whole


def newer(whole: Path) -> Path:
    """A file of a later format version."""
    data = bytearray(whole.read_bytes())
    data[8:10] = (99).to_bytes(2, "big")
    whole.write_bytes(data)
    return whole


def empty(whole: Path) -> Path:
    """A file of no bytes."""
    whole.write_bytes(b"")
    return whole


def folder(whole: Path) -> Path:
    """A folder without recordings."""
    place = whole.parent / "nothing-here"
    place.mkdir()
    return place


def missing(whole: Path) -> Path:
    """A path that is not there."""
    return whole.with_name("gone.bin")


CASES: dict[Callable[[Path], Path], str] = {
    unreadable: "check its permissions",
    truncated: "fetch it again",
    damaged: "fetch it again",
    foreign: "is no trace file; give the path of a trace.bin",
    newer: "has format version 99, this Retrace reads up to 1; upgrade retrace-mw",
    empty: "is empty; give the path of a trace.bin",
    folder: "holds no trace.bin",
    missing: "there is no recording",
}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("spoil", CASES, ids=lambda spoil: spoil.__name__)
def test_bad_file_is_one_line(
    retrace: Callable[..., Any],
    put: Callable[..., Path],
    command: list[str],
    spoil: Callable[[Path], Path],
) -> None:
    """The line says what, where and what to do; the file is left as it was."""
    path = spoil(put())
    before = path.read_bytes() if path.is_file() and spoil is not unreadable else b""
    done = retrace(*command, path, preexec_fn=no_override)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("retrace: ")
    assert CASES[spoil] in done.stderr
    assert str(path) in done.stderr
    assert before == (path.read_bytes() if before else b"")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_store_that_is_not_there(retrace: Callable[..., Any], command: list[str]) -> None:
    """A folder of recordings that does not exist is named."""
    done = retrace(*command, "6a5b04", "--recordings", "/nowhere/recordings")
    assert done.returncode == 2
    assert "nor can /nowhere/recordings be searched (No such file or directory)" in done.stderr
    assert "give --recordings DIR" in done.stderr


def test_ls_of_a_store_that_is_not_there(retrace: Callable[..., Any]) -> None:
    """Listing a folder that does not exist says how to name another."""
    done = retrace("ls")
    assert done.returncode == 2
    assert "set RETRACE_RECORDING_PATH or give --recordings" in done.stderr


@pytest.mark.parametrize("command", [["ls"], ["config"], ["show", "6a5b04"]], ids=lambda c: c[0])
def test_invalid_setting_is_one_line(retrace: Callable[..., Any], command: list[str]) -> None:
    """A wrong setting is refused with its name, its value and what is allowed."""
    done = retrace(*command, env={"RETRACE_SAMPLE_RATE": "often"})
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "RETRACE_SAMPLE_RATE='often'" in done.stderr


def test_unknown_command(retrace: Callable[..., Any]) -> None:
    """A command that does not exist is a usage error on one line."""
    done = retrace("replya")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("retrace: No such command 'replya'")


def test_closed_pipe_is_quiet(put: Callable[..., Path], tmp_path: Path) -> None:
    """A reader that goes away, as `head` does, causes no complaint."""
    import subprocess
    import sys

    for number in range(40):
        put(f"{number:032x}".replace("0", "a", 1))
    done = subprocess.run(
        f"{sys.executable} -m retrace_core.cli ls --json --recordings {tmp_path}/recordings"
        " | head -c 10",
        shell=True,
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
