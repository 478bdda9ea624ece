"""Replays under pdb and under an editor's debugger."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import free_port

Shop = Callable[..., Any]
BUY = "trace-buy/shop"
ANSWER = 'start_response("200 OK"'


def test_post_mortem_is_at_the_exception(shop: Shop) -> None:
    """--pdb stops in the frame that raised, with its variables."""
    done = shop("replay", "trace-fail", "--pdb", input="p row[0].upper()\nc\n")
    assert "'TEA'" in done.stdout
    assert done.stdout.rstrip().endswith("no live call was made")
    assert done.returncode == 0


def test_divergence_stops_in_the_application(shop: Shop) -> None:
    """--pdb stops at the application's line that asked something else."""
    done = shop("replay", "--pdb", BUY, input="p sql\nc\n", env={"SHOP_SQL": "SELECT 2"})
    assert "diverged: lane 0" in done.stdout
    assert "(retrace pdb) 'SELECT 2'" in done.stdout
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("text", "name", "value"), [(ANSWER, "path", "'/buy'"), ("row[1] * 2", "row[1] * 2", "6")]
)
def test_breakpoint(
    shop: Shop, line_of: Callable[[str], int], text: str, name: str, value: str
) -> None:
    """--pdb FILE:LINE stops there, in the request's thread and in those it starts."""
    place = f"shop.py:{line_of(text)}"
    done = shop("replay", BUY, "--pdb", place, input=f"p {name}\nc\nc\nc\n")
    assert f"(retrace pdb) {value}" in done.stdout
    assert done.returncode == 0


def test_what_is_typed_does_not_disturb_the_replay(
    shop: Shop, line_of: Callable[[str], int]
) -> None:
    """Reading the clock at the prompt takes no answer from the recording."""
    place = f"shop.py:{line_of(ANSWER)}"
    done = shop("replay", BUY, "--pdb", place, input="p time.time()\np random.random()\nc\n")
    assert done.stdout.count("(retrace pdb)") == 3
    assert done.returncode == 0, done.stdout


def test_quitting_ends_without_a_verdict(shop: Shop, line_of: Callable[[str], int]) -> None:
    """Quitting the debugger is no outcome of the replay."""
    done = shop("replay", BUY, "--pdb", f"shop.py:{line_of(ANSWER)}", input="q\n")
    assert done.returncode == 130
    assert "identical" not in done.stdout


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("shop.py:9999", "no statement begins"),
        ("shop.py:1", "no statement begins"),
        ("nix.py:3", "no file nix.py"),
    ],
)
def test_wrong_place_is_one_line(shop: Shop, place: str, words: str) -> None:
    """A breakpoint where no code is says so before anything runs."""
    done = shop("replay", BUY, "--pdb", place)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_debugger_takes_one_recording(shop: Shop) -> None:
    """A trace of several services is refused, and the recordings are named."""
    done = shop("replay", "trace-buy", "--pdb")
    assert done.returncode == 2
    assert "a debugger takes one recording" in done.stderr


class Editor:
    """Just enough of an editor to attach, set a breakpoint and continue."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._file = self._socket.makefile("rb")
        self._number = 0

    def close(self) -> None:
        """Go away."""
        self._file.close()
        self._socket.close()

    def send(self, command: str, **arguments: Any) -> int:
        """Send a request and return its number."""
        self._number += 1
        message = {
            "seq": self._number,
            "type": "request",
            "command": command,
            "arguments": arguments,
        }
        body = json.dumps(message).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return self._number

    def until(self, **wanted: Any) -> dict[str, Any]:
        """Return the next message that has these fields."""
        while True:
            length = 0
            while line := self._file.readline().strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            message: dict[str, Any] = json.loads(self._file.read(length))
            if all(message.get(name) == value for name, value in wanted.items()):
                return message


def test_editor_attaches_and_stops_at_a_breakpoint(
    recorded_shop: Path, line_of: Callable[[str], int]
) -> None:
    """--debugpy waits for an editor; its breakpoint is hit, and the replay stays identical."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "retrace_core.cli", "replay", BUY, "--debugpy", str(port)],
        cwd=recorded_shop,
        env={**os.environ, "SHOP_DATABASE": "/nowhere/shop.db", "PYTHONPATH": root()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "waiting for an editor" in line:
            break
    editor = Editor(port)
    editor.send("initialize", adapterID="test")
    editor.until(command="initialize")
    editor.send("attach", justMyCode=False)
    editor.until(event="initialized")
    place = {"path": str(recorded_shop / "shop.py")}
    editor.send("setBreakpoints", source=place, breakpoints=[{"line": line_of(ANSWER)}])
    editor.send("configurationDone")
    stopped = editor.until(event="stopped")
    assert stopped["body"]["reason"] == "breakpoint"
    editor.send("continue", threadId=stopped["body"]["threadId"])
    editor.until(event="terminated")
    editor.close()  # debugpy's own process, which has our pipe as well, ends with it
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "identical  shop" in output


def test_missing_debugpy_says_what_to_install(shop: Shop) -> None:
    """Without debugpy the line to install it is given."""
    hide = "import sys; sys.modules['debugpy'] = None; from retrace_core.cli import main; main()"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            hide,
            "replay",
            "--debugpy",
            "5999",
            shop("ls", "--jsonl").stdout and BUY,
        ],
        cwd=json.loads(shop("ls", "--jsonl").stdout.splitlines()[0])["file"].split("/recordings")[
            0
        ],
        env={
            **os.environ,
            "SHOP_DATABASE": "/nowhere/shop.db",
            "PYTHONPATH": root(),
            "RETRACE_REPLAY_RESTARTED": "child",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        'retrace: debugpy is not installed: pip install "retrace-mw[debugpy]"'
    )


def root() -> str:
    """Return the folder of the packages."""
    return str(Path(__file__).resolve().parents[2])
