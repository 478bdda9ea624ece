"""The command line itself: help, documentation, commands of other packages, completion."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.cli import COMMANDS
from retrace_core.cli.reference import reference

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).resolve().parents[2] / "docs" / "cli.md"


def test_documentation_is_what_help_says() -> None:
    """docs/cli.md is up to date; `python -m retrace_core.cli.reference` writes it."""
    assert DOCS.read_text(encoding="utf-8") == reference()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples(retrace: Callable[..., Any], name: str) -> None:
    """Each command explains itself, with examples."""
    done = retrace(name, "--help")
    assert done.returncode == 0
    assert f"Examples:\n    retrace {name}" in done.stdout or f"retrace {name}" in done.stdout


def test_no_arguments_print_help(retrace: Callable[..., Any]) -> None:
    """`retrace` alone shows what there is."""
    done = retrace()
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)


def test_other_packages_add_commands(retrace: Callable[..., Any], tmp_path: Path) -> None:
    """A command comes in by the entry-point group retrace.commands."""
    (tmp_path / "extra.py").write_text(
        "import click\n@click.command()\ndef command():\n"
        "    '''Say hello.'''\n    click.echo('hello')\n"
    )
    info = tmp_path / "extra-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[retrace.commands]\ngreet = extra:command\n")
    assert retrace("greet").stdout == "hello\n"
    assert "Say hello." in retrace("--help").stdout


def test_completion_knows_commands_and_traces(
    retrace: Callable[..., Any], put: Callable[..., Path]
) -> None:
    """The shell is told the commands, and the ids of the traces that are there."""
    put()
    ask = {"_RETRACE_COMPLETE": "bash_complete", "COMP_WORDS": "retrace sh", "COMP_CWORD": "1"}
    assert retrace(env=ask).stdout == "plain,show\n"
    ask |= {"COMP_WORDS": "retrace show 6a5", "COMP_CWORD": "2"}
    assert "plain,6a5b04c1d2e3f405162738495a6b7c8d" in retrace(env=ask).stdout


def test_interrupt_is_130(put: Callable[..., Path], tmp_path: Path) -> None:
    """Ctrl-C while the app runs ends with the status that shells expect, in one line."""
    (tmp_path / "app.py").write_text(
        "import sys\ndef app(environ, start_response):\n"
        "    print('running', flush=True)\n    while True:\n        pass\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "retrace_core.cli", "replay", put(), "--app", "app:app"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(DOCS.parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (130, "retrace: interrupted\n")


def test_terminal_gets_colour_unless_refused(put: Callable[..., Path], tmp_path: Path) -> None:
    """On a terminal there is colour; NO_COLOR is respected."""
    import pty

    put()

    def on_terminal(**environ: str) -> bytes:
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "retrace_core.cli", "ls"],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(DOCS.parents[1]),
                "TERM": "xterm-256color",
                **environ,
            },
            stdout=follower,
            stderr=subprocess.DEVNULL,
        )
        os.close(follower)
        output = b""
        try:
            while data := os.read(leader, 65536):
                output += data
        except OSError:  # the other side is closed
            pass
        os.close(leader)
        process.wait()
        return output

    assert b"\x1b[32m" in on_terminal()
    assert b"\x1b[32m" not in on_terminal(NO_COLOR="1")
