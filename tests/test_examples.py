"""The examples of deciding run by themselves, with no network, and end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("deciding_*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_of_deciding_runs(example: Path, tmp_path: Path) -> None:
    """It checks what it shows, and says something."""
    environ = {name: v for name, v in os.environ.items() if not name.startswith("RETRACE")}
    done = subprocess.run(
        [sys.executable, str(example)],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
