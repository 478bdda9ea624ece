"""Applications that a program makes in its main: recorded as it runs, and replayed by running it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from retrace_core import load
from tests.programs import greeter
from tests.server_process import free_port
from tests.test_servers import get, serving

SERVERS = (
    "cheroot flask gunicorn hypercorn tornado uvicorn uvicorn-in-loop waitress werkzeug"
    " werkzeug-made wsgiref"
).split()
SCRIPT = str(greeter.__file__)
TOKEN = "tok-8d1f0c7a55aa41"


def recorded(tmp_path: Path, program: list[str], server: str) -> Path:
    """Return the recording of one request to the program."""
    port = free_port()
    command = ["retrace_core.cli", "run", "--", sys.executable, *program, server]
    command += ["--port", str(port), "--greeting", "hello"]
    with serving(command, port, tmp_path, sample_rate=0) as base:
        get(base, {"X-Trace-ID": "one"})
        get(base)  # so that the one before has ended, too
    (path,) = tmp_path.glob("one/*/trace.bin")
    return path


def replayed(path: Path, *options: str) -> Any:
    """Return what `retrace replay` reports of a recording."""
    done = subprocess.run(
        [sys.executable, "-m", "retrace_core.cli", "replay", str(path), "--json", *options],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)["recordings"][0]


@pytest.mark.parametrize("server", SERVERS)
def test_an_application_made_in_main_replays(server: str, tmp_path: Path) -> None:
    """The program is run again up to where it serves, with all that it holds still held."""
    path = recorded(tmp_path, [SCRIPT], server)
    response = load(path).response
    assert response is not None
    assert b"hello" in response.body[0]
    assert b"held=True" in response.body[0]
    report = replayed(path)
    assert report["identical"], report
