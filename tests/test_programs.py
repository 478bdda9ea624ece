"""Applications that a program makes in its main are replayed by running it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from retrace_core import load
from retrace_core.errors import AppNotLoadable
from retrace_core.recording import Program
from retrace_core.replay.program import run_program
from tests.programs import greeter
from tests.replay_report import replayed, run_replay
from tests.server_process import free_port
from tests.serving import get, serving

SERVERS = (
    "cheroot daphne flask gevent granian granian-wsgi gunicorn hypercorn one-by-one paste rocket3"
    " tornado twisted uvicorn uvicorn-in-loop uvicorn-in-parts waitress werkzeug wsgiref"
).split()
SCRIPT = str(greeter.__file__)
MODULE = "tests.programs.greeter"
TOKEN = "tok-8d1f0c7a55aa41"


@pytest.fixture(autouse=True)
def with_start_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the program asks as it starts is recorded."""
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")


def recorded(tmp_path: Path, *program: str) -> Path:
    """Return the recording of one request to a program; its port stands for {port}."""
    port = free_port()
    command = ["retrace_core.cli", "run", "--", sys.executable]
    command += [part.format(port=port) for part in program]
    with serving(command, port, tmp_path, sample_rate=0) as base:
        get(base, {"X-Trace-ID": "one"})
        get(base)  # so that the one before has ended, too
    (path,) = tmp_path.glob("one/*/trace.bin")
    return path


@pytest.mark.parametrize("server", SERVERS)
def test_an_application_made_in_main_replays(server: str, tmp_path: Path) -> None:
    """The program is run again up to where it serves, with all that it holds still held."""
    path = recorded(tmp_path, SCRIPT, server, "--port", "{port}", "--greeting", "hello")
    response = load(path).response
    assert response is not None
    assert b"hello" in response.body[0]
    assert b"held=True" in response.body[0]
    report = replayed(path)
    assert report["identical"], report


@pytest.mark.parametrize("server", ["own", "own-thread"])
def test_an_application_that_a_server_of_nobodys_serves_replays(
    server: str, tmp_path: Path
) -> None:
    """It is taken where the program begins to wait for a request."""
    path = recorded(tmp_path, "-m", MODULE, server, "--port", "{port}", "--greeting", "hello")
    assert replayed(path)["identical"]


def test_no_server_is_started_where_it_cannot_be_told_what_it_serves(tmp_path: Path) -> None:
    """There are two that it may be: the replay says what to do, and does not wait for anybody."""
    path = recorded(tmp_path, "-m", MODULE, "own-two", "--port", "{port}", "--greeting", "hello")
    done = run_replay(path)
    assert done.returncode == 2
    assert "began to serve by a server that Retrace does not know" in done.stderr
    assert "give --app module:attribute" in done.stderr


def test_a_command_may_be_in_a_submodule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its script imports that, as granian's does: `granian:cli.entrypoint` is what it runs."""
    monkeypatch.delitem(sys.modules, "json.tool", raising=False)
    monkeypatch.delattr(json, "tool", raising=False)
    program = Program(kind="function", name="json:tool.main", arguments=["--help"], path="json")
    with pytest.raises(AppNotLoadable, match="came to SystemExit: 0"):
        run_program(program, ".", print, print)  # type: ignore[arg-type]


def test_a_module_that_is_run_replays(tmp_path: Path) -> None:
    """`python -m` is told from a script: what it imports is found as it was."""
    path = recorded(tmp_path, "-m", "tests.programs.greeter", "waitress", "--port", "{port}")
    program = load(path).header.environment.program
    assert program is not None
    assert (program.kind, program.name) == ("module", "tests.programs.greeter")
    assert replayed(path)["identical"]


@pytest.mark.parametrize(("method", "server"), [("fork", "uvicorn"), ("spawn", "waitress")])
def test_an_application_that_a_child_serves_replays(
    method: str, server: str, tmp_path: Path
) -> None:
    """What the process of `multiprocessing` does is done where the program would start it."""
    module = ("-m", "tests.programs.parent")
    path = recorded(tmp_path, *module, method, server, "--port", "{port}")
    program = load(path).header.environment.program
    assert program is not None
    assert program.child.endswith("Process-2")
    response = load(path).response
    assert response is not None
    assert f"by {program.child}".encode() in response.body[0]
    assert replayed(path)["identical"]


@pytest.mark.parametrize("how", ["fileno", "fromfd"])
def test_a_socket_that_was_handed_down_is_stood_for(how: str, tmp_path: Path) -> None:
    """And what the worker was told to serve is no application by that name."""
    path = recorded(tmp_path, "-m", "tests.programs.handed_down", "{port}", how)
    assert load(path).header.environment.app == ""
    report = replayed(path)
    assert report["identical"], report


def test_what_other_processes_do_for_requests_comes_back(tmp_path: Path) -> None:
    """A manager of the start-up hands it over; the socket was bound long before it is served."""
    path = recorded(tmp_path, "-m", "tests.programs.workshop", "{port}")
    response = load(path).response
    assert response is not None
    assert b"ready" in response.body[0]
    report = replayed(path, "--cold")
    assert report["identical"], report


def test_a_global_of_what_is_run_is_none_of_what_is_imported(tmp_path: Path) -> None:
    """Its name is recorded, and an import does not have it: then the program is run."""
    path = recorded(tmp_path, "-m", "tests.programs.late", "{port}")
    assert load(path).header.environment.app == "tests.programs.late:application"
    assert replayed(path)["identical"]


def test_what_a_main_does_to_a_global_is_done(tmp_path: Path) -> None:
    """By its name it comes out otherwise: then the program is run."""
    path = recorded(tmp_path, "-m", "tests.programs.named", "{port}", "to", "be", "said")
    assert load(path).header.environment.app == "tests.programs.named:application"
    assert replayed(path)["identical"]


def test_what_a_thread_of_the_program_touches_is_of_no_request(tmp_path: Path) -> None:
    """It is on the boot tape, which answers it while the request is replayed."""
    path = recorded(tmp_path, "-m", "tests.programs.restless", "{port}", str(tmp_path))
    report = replayed(path, "--cold")
    assert report["identical"], report
    assert not any("refused" in note for note in report["notes"]), report["notes"]


def test_verify_runs_programs_too(tmp_path: Path) -> None:
    """One recording is of an application without a name, one of a name that says too little."""
    for name, program in (
        ("a", ("-m", "tests.programs.greeter", "wsgiref", "--port", "{port}")),
        ("b", ("-m", "tests.programs.named", "{port}", "word")),
    ):
        recorded(tmp_path / name, *program)
    for isolate in ("fork", "none"):
        command = ["retrace_core.cli", "verify", str(tmp_path), "--isolate", isolate]
        done = subprocess.run(
            [sys.executable, "-m", *command],
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_secret_argument_is_masked_and_replays(tmp_path: Path) -> None:
    """The option says that it is one; its pseudonym is what the program gets on replay."""
    program = ("-m", "tests.programs.greeter", "waitress", "--port", "{port}")
    path = recorded(tmp_path, *program, "--api-token", TOKEN)
    assert TOKEN not in repr(load(path))
    assert not any(TOKEN.encode() in file.read_bytes() for file in tmp_path.rglob("*.bin"))
    assert replayed(path)["identical"]


def test_a_program_that_serves_otherwise_here_is_told(tmp_path: Path) -> None:
    """It ends before it serves: which program, how it ended, and what to do."""
    script = tmp_path / "greeter.py"
    script.write_text(Path(SCRIPT).read_text())
    path = recorded(tmp_path, str(script), "waitress", "--port", "{port}")
    script.write_text("raise LookupError('no such planet')")
    done = run_replay(path)
    assert done.returncode == 2
    assert "came to LookupError: no such planet before it handed an application" in done.stderr
    assert "give --app" in done.stderr
