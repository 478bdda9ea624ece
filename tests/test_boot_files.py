"""Boot files: what a start-up reads of files leaves the rest of its tape to its other calls."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from tests.replay_report import replays
from tests.serving import get, under_gunicorn

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SHOP = """
import glob
import os
import secrets
import shutil
import sqlite3
import tempfile

import retrace_mw

# The style sheets are copied at each start, and an address is written into each of them.
STYLES = os.path.join(tempfile.mkdtemp(), "styles")
shutil.copytree("styles", STYLES)
for name in sorted(glob.glob(f"{STYLES}/*.css")):
    with open(name) as file:
        text = file.read()
    with open(name, "w") as file:
        file.write(text.replace("@address@", "/shop"))
READ = 0
for name in glob.glob(f"{STYLES}/*.css"):
    with open(os.open(name, os.O_RDONLY)) as file:
        READ += len(file.read())
with sqlite3.connect("shop.db") as connection:
    NAMES = [name for (name,) in connection.execute("select name from stock")]


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{READ} {' '.join(NAMES)}".encode()]


app = retrace_mw.RetraceMiddleware(application)
"""


def test_a_start_up_that_copies_many_files_keeps_its_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are larger than the tape; on replay the copies are those that it writes itself."""
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "styles").mkdir()
    for number in range(20):
        (tmp_path / "styles" / f"{number}.css").write_text(f"@address@{'x' * 20_000}")
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("shop.db")) as connection, connection:
        connection.execute("create table stock (name)")
        connection.execute("insert into stock values ('tea')")
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    monkeypatch.setenv("RETRACE_BOOT_TAPE_LIMIT_BYTES", "200000")
    with under_gunicorn("shop:app", tmp_path / "recordings") as base:
        assert get(f"{base}/", {"X-Trace-ID": "styles"}).endswith("tea")
    (tmp_path / "shop.db").unlink()
    replays("styles")


CORNER = """
import os
import pathlib

import retrace_mw

FOLDER = pathlib.Path("~/.config/corner").expanduser()
os.makedirs(FOLDER, exist_ok=True)
KNOWN = (FOLDER / "names").read_text()
with open(FOLDER / "log", "w") as log:
    log.write("started")


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [KNOWN.encode(), (FOLDER / "names").read_bytes()]


app = retrace_mw.RetraceMiddleware(application)
"""


def test_what_lies_in_the_persons_folder_is_found_from_another_persons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """matplotlib, for one, makes a folder there as it is imported."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "corner.py").write_text(CORNER)
    names = tmp_path / "home" / "app" / ".config" / "corner" / "names"
    names.parent.mkdir(parents=True)
    names.write_text("ann, bob")
    monkeypatch.chdir(tmp_path / "code")
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "app"))
    with under_gunicorn("corner:app", tmp_path / "recordings") as base:
        get(f"{base}/", {"X-Trace-ID": "corner"})
    names.unlink()
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "me"))
    replays(tmp_path / "recordings/corner")
    assert not (tmp_path / "home" / "me").exists()
