"""The public API has types that checkers accept as users write it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
USE = "tests/typing/as_users_write_it.py"
MISUSE = """
from retrace_core import Boundary, replay
from retrace_mw import RetraceMiddleware

RetraceMiddleware(print, decide=1)
replay(42, "shop:app")
Boundary("redis")
"""
CHECKERS = {"mypy": ["mypy", "--strict", "--no-incremental"], "pyright": ["pyright"]}


def run(checker: str, file: str) -> subprocess.CompletedProcess[str]:
    """Check one file in this project's environment."""
    command, *options = CHECKERS[checker]
    program = Path(sys.executable).with_name(command)
    if not program.exists():
        pytest.skip(f"{command} is in the group `lint`")
    return subprocess.run(
        [program, *options, file], cwd=ROOT, capture_output=True, text=True, timeout=110
    )


@pytest.mark.parametrize("checker", CHECKERS)
def test_users_code_is_accepted(checker: str) -> None:
    """What the documentation tells to write has no type error."""
    done = run(checker, USE)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("checker", CHECKERS)
def test_wrong_use_is_found(checker: str, tmp_path: Path) -> None:
    """Types that accept everything would check nothing: three lines, three errors."""
    file = tmp_path / "misuse.py"
    file.write_text(MISUSE)
    found = {
        line.split(":")[1]
        for line in run(checker, str(file)).stdout.splitlines()
        if "misuse.py:" in line and "error" in line
    }
    assert found == {"5", "6", "7"}
