"""`retrace replay --flag` and the flags that `retrace show` lists."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

APP = """
import sqlite3, sys, threading
import flask
from openfeature import api
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider
from retrace_mw import RetraceMiddleware

flags = {
    "audit": InMemoryFlag("on", {"on": True}),
    "theme": InMemoryFlag("dark", {"dark": "dark"}),
    "worker": InMemoryFlag("on", {"on": True}),
}
app = flask.Flask("shop")

def query(sql):
    with sqlite3.connect("shop.db") as connection:
        return connection.execute(sql).fetchall()

@app.get("/")
def index():
    client = api.get_client()
    rows = query("SELECT 1")
    if client.get_boolean_value("audit", False):
        rows += query("SELECT 2")
    rows += query("SELECT 3")
    theme = client.get_string_value("theme", "light")
    if theme == "new":
        rows += query("SELECT 99")
    return {"rows": rows, "theme": theme}

@app.get("/threads")
def threads():
    got = []
    def work(sql):
        got.append(query(sql))
    if api.get_client().get_boolean_value("worker", False):
        got.append(query("SELECT 0"))
    workers = [threading.Thread(target=work, args=(f"SELECT {n}",)) for n in (1, 2)]
    for worker in workers:
        worker.start()
        worker.join()
    return {"got": got}

@app.get("/plain")
def plain():
    return "no flag"

app.wsgi_app = RetraceMiddleware(app.wsgi_app)
till = RetraceMiddleware(lambda e, s: (s("200 OK", []), [b"till"])[1], service="till")

if __name__ == "__main__":
    from werkzeug.test import Client
    api.set_provider_and_wait(InMemoryProvider(flags))
    for path in ("/", "/threads", "/plain"):
        name = path.strip("/") or "index"
        app.test_client().get(path, headers={"X-Trace-ID": f"trace-{name}"}, buffered=True)
    Client(till).get("/", headers={"X-Trace-ID": "trace-index"}, buffered=True)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an application and its recordings."""
    folder = tmp_path_factory.mktemp("flags")
    (folder / "shop.py").write_text(APP)
    (folder / "retrace.toml").write_text(
        '[apps.shop]\napp = "shop:app"\n[apps.till]\napp = "shop:till"\n'
    )
    environ = {**os.environ, "RETRACE": "1", "RETRACE_SAMPLE_RATE": "1"}
    environ["RETRACE_RECORDING_PATH"] = str(folder / "recordings")
    subprocess.run([sys.executable, "shop.py"], cwd=folder, env=environ, check=True)
    return folder


def retrace(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command beside the recordings."""
    command = [sys.executable, "-m", "retrace_core.cli", *arguments]
    if arguments[0] in ("replay", "show"):
        command += ["--recordings", str(folder / "recordings")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the only report of a JSON output."""
    (only,) = json.loads(done.stdout)["recordings"]
    found: dict[str, Any] = only
    return found


def test_show_lists_the_flags(folder: Path) -> None:
    """Name, value, variation, reason; nothing where no flag was asked."""
    shown = retrace(folder, "show", "trace-index/shop").stdout
    rows = [line.split() for line in shown.splitlines()]
    assert ["audit", "True", "on", "STATIC", "openfeature.evaluate", "1"] in rows
    assert ["theme", "dark", "dark", "STATIC", "openfeature.evaluate", "1"] in rows
    (document,) = json.loads(retrace(folder, "show", "trace-index/shop", "--json").stdout)
    assert [one["name"] for one in document["flags"]] == ["audit", "theme"]
    assert document["flags"][0]["value"] is True
    assert "Flags" not in retrace(folder, "show", "trace-plain/shop").stdout


def test_a_flag_that_makes_no_difference(folder: Path) -> None:
    """The same value again: identical, exit status 0."""
    done = retrace(folder, "replay", "trace-index/shop", "--flag", "audit=true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "flag audit: recorded True, replayed True; it made no difference" in done.stdout


def test_what_the_flag_changes_in_the_body(folder: Path) -> None:
    """Text needs no quotes; the difference is shown line by line."""
    done = retrace(folder, "replay", "trace-index/shop", "--flag", "theme=light")
    assert done.returncode == 1
    assert "flag theme: recorded dark, replayed light" in done.stdout
    assert '-  "theme": "dark"' in done.stdout
    assert '+  "theme": "light"' in done.stdout


def test_calls_that_are_left_out(folder: Path) -> None:
    """The first one is named with its line; the request goes on to its changed body."""
    done = retrace(folder, "replay", "trace-index/shop", "--flag", "audit=0", "--json")
    found = report(done)
    assert done.returncode == 1, done.stderr
    assert found["flags"] == {"audit": 0}
    assert found["divergence"] is None
    assert "shop.py" in found["left_out"]["where"]["file"]
    assert "SELECT 3" in str(found["left_out"]["asked"])
    assert "SELECT 2" in str(found["left_out"]["recorded"])
    body = next(one for one in found["differences"] if one["what"] == "body")
    assert b'"rows":[[1],[3]]' in base64.b64decode(body["replayed"]["base64"])
    assert found["unused"] >= 1
    in_words = retrace(folder, "replay", "trace-index/shop", "--flag", "audit=false").stdout
    assert "the changed code path left out a recorded call" in in_words
    assert "body came out differently" in in_words


def test_a_call_that_was_never_recorded_ends_the_replay(folder: Path) -> None:
    """The report names the call and the line: there the flag leads out of the recording."""
    flags = ("--flag", "audit=false", "--flag", "theme=new")
    done = retrace(folder, "replay", "trace-index/shop", *flags)
    assert done.returncode == 1
    assert "the changed code path left the recording" in done.stdout
    assert "SELECT 99" in done.stdout
    assert "shop.py:" in done.stdout
    assert "cold cache" not in done.stdout


def test_threads_do_not_wait_for_a_call_that_is_left_out(folder: Path) -> None:
    """They find their answers; that the recorded order could not be kept is noted."""
    done = retrace(folder, "replay", "trace-threads/shop", "--flag", "worker=false", "--json")
    found = report(done)
    assert done.returncode == 1
    assert found["divergence"] is None
    assert found["unused"] >= 1
    assert any("calls were not made again" in note for note in found["notes"])
    body = next(one for one in found["differences"] if one["what"] == "body")
    assert b'{"got":[[[1]],[[2]]]}' in base64.b64decode(body["replayed"]["base64"])


def test_a_flag_that_was_never_asked(folder: Path) -> None:
    """Exit status 2, and what was asked."""
    done = retrace(folder, "replay", "trace-index/shop", "--flag", "checkout=true")
    assert done.returncode == 2
    assert "flag 'checkout' was never asked in this recording; asked were: audit, theme" in (
        done.stderr
    )
    none = retrace(folder, "replay", "trace-plain/shop", "--flag", "audit=true")
    assert none.returncode == 2
    assert "no flag was asked at all" in none.stderr


def test_of_a_trace_those_are_replayed_which_asked(folder: Path) -> None:
    """The till has asked no flag, and is left out; a flag of none is refused."""
    done = retrace(
        folder, "replay", "trace-index", "trace-threads", "--flag", "theme=light", "--json"
    )
    reports = json.loads(done.stdout)["recordings"]
    assert done.returncode == 1, done.stderr
    assert [(one["service"], one["path"], one["exit_status"]) for one in reports] == [
        ("shop", "/", 1)
    ]
    refused = retrace(folder, "replay", "trace-index", "--flag", "nowhere=1")
    assert refused.returncode == 2
    assert "asked were: audit, theme" in refused.stderr


@pytest.mark.parametrize("given", ["checkout", "=true", ""])
def test_what_is_no_name_and_value_is_refused(folder: Path, given: str) -> None:
    """The form is said."""
    done = retrace(folder, "replay", "trace-index/shop", "--flag", given)
    assert done.returncode == 2
    assert "NAME=VALUE" in done.stderr
