"""The demo, as the README's first command runs it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def printed() -> str:
    """What the demo prints."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "demo.py")],
        env={**os.environ, "RETRACE": "0", "RETRACE_SAMPLE_RATE": "often"},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_replays_every_recording(printed: str) -> None:
    """Two services, four requests, eight recordings: all identical, whatever the environment."""
    assert printed.count("identical  ") == 8
    assert "divergent" not in printed


def test_the_demo_fails_again(printed: str) -> None:
    """What was raised by the clock, a draw and a row is raised again, to the microsecond."""
    live, again = re.findall(r"LookupError: piece \d+ won at \d+\.\d+, and 0 are left", printed)
    assert live == again
    assert "raised again: the same exception, the same traceback" in printed


def test_the_commands_that_the_demo_ends_with_work(printed: str, tmp_path: Path) -> None:
    """Each can be pasted; --pdb stops where the variables are that it names."""
    commands = re.findall(r"^   \.venv/bin/retrace (.+)$", printed, re.MULTILINE)
    assert [command.split()[0] for command in commands] == [
        "ls",
        "show",
        "replay",
        "replay",
        "open",
    ]
    for command in commands:
        more = ["--dir", str(tmp_path)] if command.startswith("open") else []
        done = subprocess.run(
            [sys.executable, "-m", "retrace_core.cli", *shlex.split(command), *more],
            cwd=ROOT,
            input="p left, luck\nq\n",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == (130 if "--pdb" in command else 0), done.stderr
        if "--pdb" in command:
            assert "(retrace pdb) (0, " in done.stdout
    assert (tmp_path / ".vscode" / "launch.json").exists()
