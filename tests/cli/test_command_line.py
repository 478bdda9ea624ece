"""The command line itself: help, documentation, commands of other packages, completion."""

from __future__ import annotations

import os
import re
import shutil
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

TRACE = "6a5b04c1d2e3f405162738495a6b7c8d"
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
    ask = {"_RETRACE_COMPLETE": "bash_complete", "COMP_WORDS": "retrace sho", "COMP_CWORD": "1"}
    assert retrace(env=ask).stdout == "plain,show\n"
    ask |= {"COMP_WORDS": "retrace show 6a5", "COMP_CWORD": "2"}
    assert retrace(env=ask).stdout == "plain,6a5b04c1d2e3f405162738495a6b7c8d\n"
    ask |= {"COMP_WORDS": f"retrace show {TRACE}/s", "COMP_CWORD": "2"}
    assert retrace(env=ask).stdout == f"plain,{TRACE}/shop\n"


def test_completion_falls_back_to_files(retrace: Callable[..., Any]) -> None:
    """What begins no trace may be the path of a file; without a store there is no complaint."""
    ask = {"_RETRACE_COMPLETE": "bash_complete", "COMP_WORDS": "retrace show t", "COMP_CWORD": "2"}
    done = retrace(env=ask)
    assert (done.stdout, done.stderr) == ("file,t\n", "")


SHELLS = {
    "bash": """
        eval "$(_RETRACE_COMPLETE=bash_source retrace)"
        COMP_WORDS=(retrace show 6a5b); COMP_CWORD=2
        _retrace_completion retrace
        echo "${COMPREPLY[@]}"
    """,
    "fish": """
        _RETRACE_COMPLETE=fish_source retrace | source
        complete --do-complete 'retrace show 6a5b'
    """,
    "zsh": """
        autoload -Uz compinit && compinit -u -d "$PWD/.zcompdump"
        eval "$(_RETRACE_COMPLETE=zsh_source retrace)"
        print -r -- $_comps[retrace]
        # Completion runs at a prompt only: what it would add is printed instead.
        compadd() { print -r -- $completions }
        words=(retrace show 6a5b); CURRENT=3
        _retrace_completion
    """,
}


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_in_a_real_shell(put: Callable[..., Path], tmp_path: Path, shell: str) -> None:
    """The line of docs/cli.md makes the shell complete trace ids."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not on this machine")
    put()
    command = tmp_path / "retrace"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m retrace_core.cli "$@"\n')
    command.chmod(0o755)
    quiet = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    done = subprocess.run(
        [program, *quiet, "-c", SHELLS[shell]],
        cwd=tmp_path,
        env={
            **{name: value for name, value in os.environ.items() if name[:7] != "RETRACE"},
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "PYTHONPATH": str(DOCS.parents[1]),
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert TRACE in done.stdout, done.stderr


def test_interrupt_is_130(put: Callable[..., Path], tmp_path: Path) -> None:
    """Ctrl-C while the app runs ends with the status that shells expect, in one line."""
    (tmp_path / "app.py").write_text(
        "import sys\ndef app(environ, start_response):\n"
        "    print('running', flush=True)\n    while True:\n        pass\n"
    )
    # A suite in the background ignores SIGINT, and so would what it starts.
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code = f"{heeding}from retrace_core.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "replay", put(), "--app", "app:app"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(DOCS.parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "running\n"
            process.send_signal(signal.SIGINT)
            _, complaint = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, complaint) == (130, "retrace: interrupted\n")


def on_terminal(folder: Path, **environ: str) -> str:
    """Return what `retrace ls` writes to a terminal."""
    import pty

    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "retrace_core.cli", "ls"],
        cwd=folder,
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
    return output.decode()


def test_terminal_gets_colour_unless_refused(put: Callable[..., Path], tmp_path: Path) -> None:
    """On a terminal there is colour; NO_COLOR is respected."""
    put()
    assert "\x1b[32m" in on_terminal(tmp_path)
    assert "\x1b[32m" not in on_terminal(tmp_path, NO_COLOR="1")


@pytest.mark.parametrize("columns", [40, 60, 80, 160])
def test_narrow_terminal_keeps_what_matters(
    put: Callable[..., Path], tmp_path: Path, columns: int
) -> None:
    """Columns are left out rather than broken: the trace id can always be copied."""
    put(path="/orders/with/a/rather/long/path/0123456789")
    output = on_terminal(tmp_path, NO_COLOR="1", COLUMNS=str(columns))
    lines = re.sub("\x1b\\[[0-9;]*m|\r", "", output).split("\n")
    assert max(len(line.rstrip()) for line in lines) <= columns
    assert "6a5b04c1" in " ".join(lines).split()
    assert ("WHY" in output) == (columns >= 140)
