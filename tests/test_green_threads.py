"""gevent: recording is refused in words, and the application runs as it would without."""

from __future__ import annotations

import concurrent.futures
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.server_process import free_port
from tests.serving import get, serving

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("preload", ["", "--preload"], ids=["in the worker", "preloaded"])
def test_under_gunicorns_gevent_worker_nothing_is_recorded(tmp_path: Path, preload: str) -> None:
    """Fifty at once are answered, there is one warning, and no recording."""
    port, log, recordings = free_port(), tmp_path / "log", tmp_path / "recordings"
    command = (
        f"gunicorn -k gevent -w 1 {preload} -b 127.0.0.1:{port} --log-file {log}"
        " --capture-output tests.green:recorded()"
    )
    with serving(command.split(), port, recordings) as base:
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(get, [base] * 50))
    assert len(answers) == 50
    said = log.read_text()
    assert said.count("nothing is recorded: gevent") == 1, said
    assert "gthread" in said
    assert "Error" not in said
    assert not recordings.exists()


PATCHED = """
from gevent import monkey
monkey.patch_all()
import threading
start = threading.Thread.start
from retrace_core import installer, stats
from retrace_mw import RetraceMiddleware
app = RetraceMiddleware(lambda environ, start_response: [b"x"])
assert app({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, None) == [b"x"]
RetraceMiddleware(lambda environ, start_response: [b"x"])
assert threading.Thread.start is start
print(installer.installed(), stats()["refused.gevent"])
"""


def test_nothing_is_hooked_in_a_patched_process(tmp_path: Path) -> None:
    """However many middlewares there are, it is said once."""
    done = subprocess.run(
        [sys.executable, "-c", PATCHED],
        env={**os.environ, "RETRACE": "1", "RETRACE_RECORDING_PATH": str(tmp_path / "r")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "[] 2\n", done.stderr
    assert done.stderr.count("nothing is recorded: gevent") == 1
