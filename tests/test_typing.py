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


@pytest.fixture(scope="module", params=CHECKERS)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return what a checker says of both files: in one run, for it reads the whole library."""
    command, *options = CHECKERS[request.param]
    program = Path(sys.executable).with_name(command)
    if not program.exists():
        pytest.skip(f"{command} is in the group `lint`")
    misuse = tmp_path_factory.mktemp("typing") / "misuse.py"
    misuse.write_text(MISUSE)
    done = subprocess.run(
        [program, *options, USE, misuse], cwd=ROOT, capture_output=True, text=True, timeout=110
    )
    assert "misuse.py" in done.stdout, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if "error" in line and ".py:" in line]


def test_users_code_is_accepted(told: list[str]) -> None:
    """What the documentation tells to write has no type error."""
    assert [line for line in told if "misuse.py:" not in line] == []


def test_wrong_use_is_found(told: list[str]) -> None:
    """Types that accept everything would check nothing: three lines, three errors."""
    assert {line.split(":")[1] for line in told if "misuse.py:" in line} == {"5", "6", "7"}
