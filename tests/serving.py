"""Applications under real servers, in processes of their own, recorded while a test asks them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tests.server_process import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_RUN = ("retrace_core.cli", "run", "--", sys.executable, "-m")


@contextmanager
def serving(
    command: list[str], port: int, recordings: Path, *, sample_rate: float = 1
) -> Iterator[str]:
    """Run a server until the block ends; yield its address."""
    environment = {
        **os.environ,
        "RETRACE": "1",
        "RETRACE_SAMPLE_RATE": str(sample_rate),
        "RETRACE_SERVICE": "clock",
        "RETRACE_RECORDING_PATH": str(recordings),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(ConnectionError, urllib.error.URLError):
                get(base)
                break
            assert process.poll() is None, "the server ended"
            time.sleep(0.02)
        yield base
    finally:
        process.terminate()
        process.wait(30)


def get(url: str, headers: dict[str, str] | None = None) -> str:
    """Return the body of one answer."""
    asked = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        text: str = answer.read().decode()
        return text


@contextmanager
def under_gunicorn(app: str, recordings: Path, *, sample_rate: float = 1) -> Iterator[str]:
    """Serve an application by one worker, recorded by `retrace run`; yield its address."""
    port = free_port()
    command = [*_RUN, "gunicorn", "-w", "1", "-b", f"127.0.0.1:{port}", app]
    with serving(command, port, recordings, sample_rate=sample_rate) as base:
        yield base


@contextmanager
def under_uvicorn(
    app: str, recordings: Path, *options: str, sample_rate: float = 1
) -> Iterator[str]:
    """Serve an application by one process, recorded by `retrace run`; yield its address."""
    port = free_port()
    command = [*_RUN, "uvicorn", "--log-level", "warning", *options, "--port", str(port), app]
    with serving(command, port, recordings, sample_rate=sample_rate) as base:
        yield base
