"""Replay a recording in a process of its own, and see that no client of Kafka is at work in it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_REPLAY = """
import sys, threading
from contextlib import suppress
from pathlib import Path

from retrace_core.cli import main

try:
    main(["replay", sys.argv[1], "--app", "application:app"])
except SystemExit as end:
    status = end.code
names = {thread.name for thread in threading.enumerate()}
for task in Path("/proc/self/task").glob("*/comm"):
    with suppress(OSError):
        names.add(task.read_text().strip())
at_work = [name for name in names if "kafka" in name.lower() or name.startswith("rdk:")]
sys.exit(status or f"still at work: {at_work}" * bool(at_work))
"""


def replay_connects_to_nothing(recordings: Path, times: int = 3) -> None:
    """Replay the one recording there; fails unless it is identical, and nothing is left running.

    Args:
        recordings: folder of the recording, beside the module `application`.
        times: how often, each in a process of its own.
    """
    (path,) = recordings.glob("*/*/trace.bin")
    for _ in range(times):
        done = subprocess.run(
            [sys.executable, "-c", _REPLAY, str(path)],
            cwd=recordings.parent,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stdout + done.stderr
