"""A module that a request imports: what it asks of the world is on the boot tape."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from retrace_core import native
from tests.replay_report import replays
from tests.serving import get, under_gunicorn

if TYPE_CHECKING:
    from pathlib import Path

TAGS = """
import json, secrets, time

with open("state/manifest.json") as file:
    MANIFEST = json.load(file)
LOADED = [time.time(), secrets.token_hex(4)]
"""
BROKEN = """
open("state/none")
"""
TAGGED = """
import retrace_mw

def application(environ, start_response):
    import tags  # as a template's tags are, which are looked for when one is rendered first
    try:
        import broken
    except FileNotFoundError as error:
        said = f"{error} {error.__traceback__.tb_next.tb_frame.f_code.co_filename[-9:]}"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{tags.MANIFEST} {tags.LOADED} {said}".encode()]

app = retrace_mw.RetraceMiddleware(application)
"""


@pytest.mark.skipif(native.IMPLEMENTATION != "c", reason="the fallback knows no imports")
def test_a_request_that_came_later_is_replayed_cold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module was imported by an earlier request, and reads a file as it is imported."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "manifest.json").write_text(json.dumps({"main": "main-4f1a.js"}))
    for name, code in (("tags", TAGS), ("broken", BROKEN), ("tagged", TAGGED)):
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    with under_gunicorn("tagged:app", tmp_path / "recordings") as base:
        answer = get(base, {"X-Trace-ID": "later"})
    assert "main-4f1a.js" in answer
    assert "broken.py" in answer
    shutil.rmtree(tmp_path / "state")
    replays("later", "--cold")
