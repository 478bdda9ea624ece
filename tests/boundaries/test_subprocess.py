"""Programs that a request starts and talks with: on replay none is started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ECHO = "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)\nsys.exit(3)"
PIPE = subprocess.PIPE


def start(code: str, **how: Any) -> subprocess.Popen[Any]:
    """Start a program of Python's."""
    return subprocess.Popen([sys.executable, "-c", code], **how)


def talk() -> str:
    """Tell the program lines one by one, read each answer, then its end."""
    said: list[Any] = []
    with start(ECHO, stdin=PIPE, stdout=PIPE, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        for line in ("one\n", "two\n"):
            program.stdin.write(line)
            program.stdin.flush()
            said.append(program.stdout.readline())
        said.append(program.poll())
        program.stdin.close()
        said += [program.stdout.read(), program.wait(), program.poll()]
    return repr([said, program.pid])


def all_at_once() -> str:
    """`communicate`, with an answer on both pipes."""
    code = "import os, sys; sys.stderr.write(str(os.getpid())); print(sys.stdin.read() * 2)"
    program = start(code, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    return repr([program.communicate(b"ab"), program.returncode, program.pid])


def stop() -> str:
    """One that does not end by itself, and is told to."""
    program = start("import time; print('up', flush=True); time.sleep(60)", stdout=PIPE, bufsize=0)
    assert program.stdout is not None
    said: list[Any] = [program.stdout.read(2)]
    try:
        program.wait(0.01)
    except subprocess.TimeoutExpired as error:
        said.append(str(error.timeout))
    program.terminate()
    said += [program.wait() == -signal.SIGTERM, program.stdout.read()]
    program.stdout.close()
    return repr([said, program.pid])


def absent() -> str:
    """One that is not there."""
    try:
        subprocess.Popen(["/absent/program"], stdout=PIPE)
    except FileNotFoundError as error:
        return str(error)
    return "started"


def copied() -> str:
    """One that gets the name of a temporary file, and one that `run` waits for."""
    with tempfile.NamedTemporaryFile("w+", suffix=".txt") as file:
        code = f"open({file.name!r}, 'w').write('done')"
        status = start(code).wait()
        code = f"print({file.name!r}, '--file={file.name}', '/var/tmp/a')"
        again = subprocess.run([sys.executable, "-c", code], stdout=PIPE)
        with open(file.name) as written:
            return repr([status, written.read(), again.stdout])


@pytest.mark.parametrize("view", [talk, all_at_once, stop, absent, copied])
def test_a_program_says_again_what_it_said(recordings: Path, view: Callable[[], str]) -> None:
    """Its process id too, which is another for each program that is started."""
    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    descriptors = len(os.listdir("/proc/self/fd"))
    assert_identical(recording, app, times=2)
    assert len(os.listdir("/proc/self/fd")) <= descriptors


def test_the_interpreter_may_be_elsewhere(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program of Python's is the same one on a laptop, where Python lies in another folder."""

    def view() -> str:
        done = subprocess.run(
            [sys.executable, "-c", "import os; print(os.getpid())"],
            capture_output=True,
            check=True,
        )
        return repr(done.stdout)

    app, recording = record_wsgi(recordings, view)
    monkeypatch.setattr(sys, "executable", "/elsewhere/bin/python3")
    assert_identical(recording, app)


def test_a_program_by_the_shell(recordings: Path, tmp_path: Path) -> None:
    """`os.system` says its status, and does nothing on replay."""
    app, recording = record_wsgi(
        recordings, lambda: [os.system(f"echo line >> {tmp_path}/lines; exit 3")]
    )
    assert recording.response is not None
    assert recording.response.body == [b"[768]\n"]
    assert_identical(recording, app)
    assert tmp_path.joinpath("lines").read_text() == "line\n"
