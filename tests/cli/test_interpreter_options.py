"""A replay runs in an interpreter that was started as the recorded one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core import interpreter
from retrace_core.recording import Interpreter
from tests.cli.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

APP = """
import json
import locale
import sys
import warnings



def app(environ, start_response):
    try:
        warnings.warn("mind the gap", UserWarning)
        warned = "no"
    except UserWarning:
        warned = "raised"
    try:
        digits = len(str(10**5000))
    except ValueError:
        digits = 0
    found = [
        sys.flags.utf8_mode,
        locale.getpreferredencoding(False),
        sys.getfilesystemencoding(),
        sys.flags.optimize,
        sys.flags.dev_mode,
        __debug__,
        warned,
        digits,
        locale.getencoding(),
    ]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(found).encode()]
"""
RECORD = """
import app
from retrace_core import writer
from retrace_mw import RetraceMiddleware
from werkzeug.test import Client

print(Client(RetraceMiddleware(app.app)).get("/").text)
assert writer.flush(10)
"""
STARTED: dict[str, tuple[list[str], dict[str, str]]] = {
    "UTF-8 mode": (["-X", "utf8"], {}),
    "no UTF-8 mode": (["-X", "utf8=0"], {"LC_ALL": "C"}),
    "variables": ([], {"PYTHONUTF8": "1", "PYTHONDEVMODE": "1"}),
    "options": (["-O", "-W", "error::UserWarning", "-X", "int_max_str_digits=9000"], {}),
}


@pytest.mark.parametrize("started", STARTED.values(), ids=STARTED)
def test_it_is_started_so(
    retrace: Callable[..., Any], tmp_path: Path, started: tuple[list[str], dict[str, str]]
) -> None:
    """By options or by variables, and in whichever locale."""
    options, variables = started
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "record.py").write_text(RECORD)
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RETRACE", "PYTHON", "LC_", "LANG"))
    }
    settings = {
        "RETRACE": "1",
        "RETRACE_SAMPLE_RATE": "1",
        "RETRACE_RECORDING_PATH": str(tmp_path / "recordings"),
        "PYTHONPATH": ROOT,
        "LANG": "C.UTF-8",
    }
    done = subprocess.run(
        [sys.executable, *options, "record.py"],
        cwd=tmp_path,
        env={**clean, **settings, **variables},
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    assert len(json.loads(done.stdout)) == 9
    (path,) = tmp_path.glob("recordings/*/*/trace.bin")
    replayed = retrace("replay", path, "--app", "app:app", env={"LC_ALL": "C.UTF-8"})
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert "could not be restored" not in replayed.stderr
    if options:
        verified = retrace("verify", tmp_path / "recordings", "--app", "app:app")
        assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.mark.parametrize(
    "hostile",
    ["-c", "-Wignore::evil.Warning", "-Ximporttime", "-Xutf8=1\n", "-Xpycache_prefix=/tmp", "-i"],
)
def test_what_a_stranger_wrote_is_not_taken(hostile: str) -> None:
    """Only options which can do no harm."""
    recorded = Interpreter(
        options=[hostile, "-O"],
        encoding="none",
        variables={"LC_ALL": "C;reboot", "LD_PRELOAD": "evil.so", "LANG": "C"},
    )
    options, variables = interpreter.restoring(recorded)
    assert options == ["-O"]
    assert variables == {
        "LC_ALL": "",
        "LC_CTYPE": "",
        "LANG": "C",
        "PYTHONIOENCODING": sys.stdout.encoding,
    }


def test_nothing_is_to_be_restored_where_all_is_the_same() -> None:
    """Nor where it is not known what there was."""
    assert interpreter.restoring(interpreter.interpreter()) == ([], {})
    assert interpreter.restoring(None) == ([], {})


def test_how_deep_calls_may_go() -> None:
    """As deep as they could, within reason, and then as before."""
    before = sys.getrecursionlimit()
    with interpreter.as_deep(Interpreter(recursion_limit=4321)):
        assert sys.getrecursionlimit() == 4321
    with interpreter.as_deep(Interpreter(recursion_limit=1 << 30)):
        assert sys.getrecursionlimit() == 100_000
    with interpreter.as_deep(None):
        assert sys.getrecursionlimit() == before
    assert sys.getrecursionlimit() == before
