"""The demo, as the README's first command runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_demo_replays_every_recording() -> None:
    """Two services, four requests, eight recordings: all identical, one raises again."""
    demo = Path(__file__).parents[1] / "examples" / "demo.py"
    done = subprocess.run([sys.executable, str(demo)], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("identical") == 8
    assert "divergent" not in done.stdout
    assert "ZeroDivisionError" in done.stdout
