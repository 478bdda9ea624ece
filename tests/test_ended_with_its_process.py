"""A thread that a request began, and that lasts as long as its process: it is cut, not over."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from retrace_core import load, replay
from retrace_core.recording import LANE_END

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

APPLICATION = """
import threading, time
import flask
from retrace_mw import RetraceMiddleware

app = flask.Flask("shop")
app.wsgi_app = RetraceMiddleware(app.wsgi_app)
polled = threading.Event()

def watch():
    while threading.main_thread().is_alive():
        time.sleep(0.02)
        polled.set()

@app.get("/")
def home():
    threading.Thread(target=watch).start()
    polled.wait(5)
    return "watched"
"""


def test_its_end_is_not_recorded(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """crochet's watchdog does so: on replay the process goes on, and so does the thread."""
    (tmp_path / "watched_shop.py").write_text(APPLICATION)
    asked = "import watched_shop; watched_shop.app.test_client().get('/', buffered=True)"
    subprocess.run(
        [sys.executable, "-c", asked],
        cwd=tmp_path,
        env={**os.environ, "RETRACE_BOOT_TAPE": "0", "PYTHONPATH": str(tmp_path)},
        timeout=60,
        check=True,
    )
    (path,) = recordings.glob("*/*/trace.bin")
    recording = load(path)
    lane = recording.lane("0.0")
    assert lane is not None
    kinds = {event.kind for event in lane.events}
    assert "time.sleep" in kinds and LANE_END not in kinds and not lane.complete
    monkeypatch.syspath_prepend(tmp_path)
    result = replay(recording, "watched_shop:app")
    assert result.identical, result.summary()
