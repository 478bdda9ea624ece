"""Real servers: what they serve at once is recorded apart, and replays with the world gone."""

from __future__ import annotations

import concurrent.futures
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from benchmarks.fidelity import SERVERS, free_port, measure
from retrace_core import load, replay
from tests import test_frameworks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def serving(command: list[str], port: int, recordings: Path) -> Iterator[str]:
    """Run a server until the block ends; yield its address."""
    environment = {
        **os.environ,
        "RETRACE": "1",
        "RETRACE_SAMPLE_RATE": "1",
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


def get(url: str) -> str:
    """Return the body of one answer."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode()
        return text


@pytest.mark.parametrize("server", SERVERS)
def test_concurrent_requests_replay_identically(server: str) -> None:
    """Twenty at once, half of them recorded; database deleted and upstream stopped."""
    good, total, said = measure(server, requests=20, times=2)
    assert total > 2
    assert (good, said) == (total, [])


@pytest.mark.parametrize("make", test_frameworks.MAKERS, ids=lambda make: make.__name__)
def test_every_framework_under_its_server(tmp_path: Path, make: object) -> None:
    """gunicorn with two workers of four threads for WSGI, uvicorn for ASGI."""
    name: str = make.__name__  # type: ignore[attr-defined]
    port = free_port()
    if name.endswith("wsgi"):
        command = f"gunicorn -k gthread --threads 4 -w 2 -b 127.0.0.1:{port}".split()
        command.append(f"tests.test_frameworks:{name}()")
    else:
        command = f"uvicorn --port {port} --factory tests.test_frameworks:{name}".split()
    with serving(command, port, tmp_path) as base:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = set(pool.map(get, [base] * 16))
    recordings = [load(path) for path in tmp_path.glob("*/clock/trace.bin")]
    bodies = [b"".join(recording.response.body).decode() for recording in recordings]
    assert answers <= set(bodies)
    app = make()  # type: ignore[operator]
    for recording in recordings[:5]:
        result = replay(recording, app)
        assert result.identical, result.summary()
