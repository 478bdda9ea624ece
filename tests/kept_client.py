"""Record a service whose start-up connects a client for all requests, and replay it cold."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.replay_report import reported
from tests.serving import get, under_uvicorn

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
    answers = list[str]()
    with under_uvicorn("service:app", folder / "recordings", sample_rate=0) as base:
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
        report = reported(trace, "--cold")
        assert report["identical"], report
        assert len(report["recordings"]) == 1
