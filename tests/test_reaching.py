"""`retrace run`: a command that takes `PYTHONPATH` away is recorded still, or told of."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from retrace_mw.cli.reaching import reasons_against

if TYPE_CHECKING:
    from pathlib import Path

_PRINT = "import sys; print('retrace_mw' in sys.modules, sys.path)"


def _run(*program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "retrace_core.cli", "run", "--", *program],
        env={**os.environ, "RETRACE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_what_env_sets_is_added_to(tmp_path: Path) -> None:
    """The program has its own path, and is recorded."""
    done = _run("env", "A=b", f"PYTHONPATH={tmp_path}", sys.executable, "-c", _PRINT)
    assert done.stdout.startswith("True"), done.stderr
    assert str(tmp_path) in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("option", ["-I", "-E", "-sE"])
def test_an_interpreter_that_ignores_its_variables_is_told_of(option: str) -> None:
    """The program is run all the same, and one line says what to do."""
    done = _run(sys.executable, option, "-c", _PRINT)
    assert done.stdout.startswith("False")
    assert done.stderr.count("nothing will be recorded") == 1
    assert f"{option} has the interpreter ignore PYTHONPATH; leave it out" in done.stderr


def test_a_script_whose_first_line_has_it_ignored_is_told_of(tmp_path: Path) -> None:
    """As those have it that some installers make."""
    script = tmp_path / "served"
    script.write_text(f"#!{sys.executable} -sE\n{_PRINT}\n")
    script.chmod(0o755)
    done = _run(str(script))
    assert done.stdout.startswith("False")
    assert f"-sE in the first line of {script}" in done.stderr


@pytest.mark.parametrize(
    "program",
    [
        ["env", "-i", "python", "app.py"],
        ["sh", "-c", "PYTHONPATH=. gunicorn app:app"],
        ["nice", "python3.12", "-I", "app.py"],
    ],
)
def test_what_takes_it_away_is_known(program: list[str]) -> None:
    """There is one reason."""
    assert len(reasons_against(program)) == 1


@pytest.mark.parametrize(
    "program",
    [
        ["env", "-i", "PYTHONPATH=.", "python", "app.py"],
        ["env", "-u", "HOME", "python", "app.py"],
        ["python", "-m", "Inner", "-I"],
        ["python", "-X", "dev", "app.py", "-E"],
        ["python", "-WError", "app.py"],
        ["sh", "-c", "PYTHONPATH=.:$PYTHONPATH gunicorn app:app"],
        ["gunicorn", "-E"],
        ["no-such-program"],
    ],
)
def test_what_leaves_it_is_not_told_of(program: list[str]) -> None:
    """Options of the program itself are none of the interpreter."""
    assert reasons_against(program) == []
