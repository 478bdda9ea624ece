"""Record a service whose start-up connects a client for all requests, and replay it cold."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.server_process import free_port
from tests.test_servers import get, serving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest


def record_under_uvicorn(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    paths: Sequence[str],
    at_once: int = 1,
) -> list[str]:
    """Serve an application and ask for each path; return the answers.

    Args:
        folder: of the application and its recordings, where the test runs from now on.
        monkeypatch: changes environment and folder.
        source: of the module, which has `app` and none of our names.
        paths: to ask for; a recording has one's place among them as its trace.
        at_once: how often each is asked, at the same time.
    """
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    (folder / "service.py").write_text(source)
    port = free_port()
    uvicorn = ["-m", "uvicorn", "--log-level", "warning", "--port", str(port), "service:app"]
    command = ["retrace_core.cli", "run", "--", sys.executable, *uvicorn]
    answers = list[str]()
    with serving(command, port, folder / "recordings", sample_rate=0) as base:
        for place, path in enumerate(paths):
            traces = [{"X-Trace-ID": f"t{place}-{number}"} for number in range(at_once)]
            with ThreadPoolExecutor(at_once) as asking:
                answers += asking.map(lambda trace, to=base + path: get(to, trace), traces)
    return answers


def replay_each_cold(folder: Path, expected: int) -> None:
    """Replay each recording in a process of its own; fails unless all are there and identical."""
    traces = sorted(path.name for path in (folder / "recordings").glob("t*-*"))
    assert len(traces) == expected, traces
    for trace in traces:
        done = subprocess.run(
            [sys.executable, "-m", "retrace_core.cli", "replay", trace, "--cold", "--json"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(json.loads(done.stdout)["recordings"]) == 1
