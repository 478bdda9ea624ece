"""A password that stands in the code, and that the start-up read in its settings or wrote down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.redaction.raw import raw
from tests.replay_report import replays
from tests.serving import get, under_gunicorn

if TYPE_CHECKING:
    from pathlib import Path

DOOR = """
import configparser
import sqlite3
from urllib.parse import parse_qs

import retrace_mw

USERS = {{"alice": {password!r}}}
settings = configparser.ConfigParser()
settings.read("door.ini")
users = sqlite3.connect("users.db")
users.execute("CREATE TABLE IF NOT EXISTS users (name, password)")
{at_start}


def application(environ, start_response):
    given = parse_qs(environ["QUERY_STRING"]).get("password", [""])[0]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"in" if given == {right} else b"out"]


app = retrace_mw.RetraceMiddleware(application)
"""
PASSWORD = "wonderland"
WAYS = {
    "read": ("", 'settings["admin"]["password"]'),
    "written": (
        'users.execute("INSERT INTO users (name, password) VALUES (?, ?)", *USERS.items())',
        'USERS["alice"]',
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_the_right_one_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """What the code compares with is what it was told at its start, or what it has itself."""
    monkeypatch.delenv("RETRACE_REDACT_POINT_TO_CODE")
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    monkeypatch.chdir(tmp_path)
    at_start, right = WAYS[way]
    source = DOOR.format(password=PASSWORD, at_start=at_start, right=right)
    (tmp_path / "door.py").write_text(source)
    (tmp_path / "door.ini").write_text(f"[admin]\npassword = {PASSWORD if way == 'read' else 0}\n")
    with under_gunicorn("door:app", tmp_path / "recordings") as base:
        assert get(f"{base}/?password={PASSWORD}", {"X-Trace-ID": "right"}) == "in"
        assert get(f"{base}/?password=looking-glass", {"X-Trace-ID": "wrong"}) == "out"
    assert PASSWORD.encode() not in raw(tmp_path / "recordings")
    (tmp_path / "door.ini").unlink()
    for trace in ("right", "wrong"):
        replays(trace)
