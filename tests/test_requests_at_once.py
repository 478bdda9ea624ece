"""Requests that were under way at once: what a replay tries where they met in the memory."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.server_process import free_port
from tests.serving import get, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVICE = """
import os
import urllib.request

import retrace_mw

count = 0


def application(environ, start_response):
    global count
    for step in environ["PATH_INFO"].strip("/").split("-"):
        if step == "count":
            count += 1
        elif step == "meet":
            urllib.request.urlopen(os.environ["PARTNER"]).read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(count).encode()]


app = retrace_mw.RetraceMiddleware(application)
"""


@contextmanager
def partner(port: int, met: str, trace: str) -> Iterator[str]:
    """Serve what asks the service in turn, before it answers it."""

    class Partner(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            get(f"http://127.0.0.1:{port}/{met}", {"X-Trace-ID": trace})
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Partner)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("begins", "met", "asked", "which"),
    [
        # The request that it met counted while it waited, though it began later.
        ("meet", "count", "begins", "overlapping"),
        # The request that had begun before it counted when it was over.
        ("meet-count", "show", "met", "ended"),
    ],
)
def test_they_met_in_the_memory(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    begins: str,
    met: str,
    asked: str,
    which: str,
) -> None:
    """Alone it diverges, and so it does after those before it; what else there is, is tried."""
    (tmp_path / "service.py").write_text(SERVICE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    port = free_port()
    command = ["retrace_core.cli", "run", "--", sys.executable, "-m", "gunicorn", "--threads", "3"]
    command += ["-b", f"127.0.0.1:{port}", "service:app"]
    with partner(port, met, "met") as place:
        monkeypatch.setenv("PARTNER", place)
        with serving(command, port, tmp_path / "recordings") as base:
            get(f"{base}/count")
            get(f"{base}/{begins}", {"X-Trace-ID": "begins"})

    def told(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "retrace_core.cli", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=100)

    found = told("replay", asked)
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"requests of its process that {'began' if which == 'overlapping' else 'were'}" in (
        found.stderr
    )
    assert told("replay", asked, "--warm", "--earlier", which).returncode == 0
    assert told("replay", asked, "--warm").returncode == 1
    assert told("replay", asked, "--cold").returncode == 1
    verified = told("verify", "recordings", "--app", "service:app")
    assert verified.returncode == 0, verified.stdout
