"""The interpreter itself calls a hook, and no frame is below: it goes on as without us.

`atexit` does so, in a program that served nothing for instance, such as a server's master.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MADE = """
import atexit, os, queue, shutil, socket, subprocess, tempfile, threading
os.mkdir("kept"); open("kept/file", "w").close()
waiting = threading.Event(); lines = queue.Queue(); simple = queue.SimpleQueue()
thread = threading.Thread(target=waiting.wait, args=(0.01,)); thread.start()
"""
AT_EXIT = (
    "os.listdir, 'kept'",
    "os.fstat, 0",
    "os.open, 'kept/file', os.O_RDONLY",
    "os.kill, os.getpid(), 0",
    "open, 'kept/file'",
    "subprocess.call, ['true']",
    "tempfile.mkdtemp, None, None, 'kept'",
    "socket.getaddrinfo, '127.0.0.1', 80",
    "thread.join, 1",
    "waiting.wait, 0.01",
    "lines.put, 1",
    "simple.put, 1",
    "simple.get",
    "os.remove, 'kept/file'",
    "shutil.rmtree, 'kept'",
)


def run(folder: Path, program: str) -> str:
    """Return what a program says on standard error under `retrace run`."""
    folder.joinpath("program.py").write_text(program)
    command = [sys.executable, "-m", "retrace_core.cli", "run", "--", sys.executable, "program.py"]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "RETRACE": "1", "RETRACE_RECORDING_PATH": str(folder / "recordings")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stderr


def test_what_is_called_at_exit_is_done(tmp_path: Path) -> None:
    """Each is a function of the library, and none of the application's: the folder goes."""
    last_first = "\n".join(f"atexit.register({call})" for call in reversed(AT_EXIT))
    assert run(tmp_path, f"{MADE}\n{last_first}\n") == ""
    assert not (tmp_path / "kept").exists()
