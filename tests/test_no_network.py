"""A replayed process has no network but loopback, whoever asks, where the kernel lets it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from retrace_core.replay.no_network import leave_network
from tests.recorded import record_wsgi
from tests.replay_report import run_replay
from tests.server_process import not_as_root

if TYPE_CHECKING:
    from pathlib import Path

# What asks is no boundary's and in no audit event, as of a library in C.
ASKS = """
import os, socket
from retrace_core.replay.no_network import leave_network

before = os.getuid(), os.getgid(), open("/proc/self/status").read().split("CapEff:")[1].split()[0]
print(leave_network())
print(",".join(name for _, name in socket.if_nameindex()))
after = os.getuid(), os.getgid(), open("/proc/self/status").read().split("CapEff:")[1].split()[0]
print(before == after)
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
try:
    socket.create_connection(("127.0.0.1", {port}), timeout=10)
except OSError as error:
    print(type(error).__name__)
"""


def asked(*before: str, port: int) -> list[str]:
    """Return what a process says of itself and its network that has left this one's."""
    command = [*before, sys.executable, "-c", ASKS.replace("{port}", str(port))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    said = done.stdout.split()
    if said[0] == "False":
        pytest.skip("this kernel, or its container, does not let us")
    return said


@pytest.mark.skipif(sys.platform != "linux", reason="it is there on Linux only")
def test_nothing_but_loopback() -> None:
    """A server of this machine is not there; one of its own is."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        assert asked(port=port) == ["True", "lo", "True", "ConnectionRefusedError"]


@pytest.mark.skipif(
    os.name != "posix" or os.getuid() != 0 or shutil.which("setpriv") is None,
    reason="only root can become somebody else",
)
def test_not_as_root() -> None:
    """Nobody in particular remains who it was, and may do no more than before."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        said = asked(*not_as_root("nobody"), port=port)
        assert said == ["True", "lo", "True", "ConnectionRefusedError"]


def test_not_with_threads() -> None:
    """A process that has threads stays where it is."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        assert leave_network() is False
    finally:
        over.set()
        thread.join()


APP = """
import httpx, socket, sys

def application(environ, start_response):
    print("sees", [name for _, name in socket.if_nameindex()], file=sys.stderr)
    start_response("200 OK", [])
    return [b"ok"]
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is there on Linux only")
def test_the_command(recordings: Path, tmp_path: Path) -> None:
    """`retrace replay` runs the application there; asked to call live, it does not."""
    (tmp_path / "shop.py").write_text(APP)
    record_wsgi(recordings, lambda: "ok")
    (path,) = recordings.glob("*/*/trace.bin")
    seen: list[str] = []
    for more in ([], ["--live-on-miss", "httpx"]):
        done = run_replay(path, *more, "--app", "shop:application", "--app-dir", str(tmp_path))
        seen += [line for line in done.stderr.splitlines() if line.startswith("sees")]
    everything = [name for _, name in socket.if_nameindex()]
    assert seen[1] == f"sees {everything}"
    assert seen[0] in ("sees ['lo']", seen[1])
