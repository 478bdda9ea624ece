"""`retrace doctor` and `retrace config`: why are there no recordings?"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core import installer
from retrace_core.cli import checks
from retrace_core.cli.known_clients import UNCOVERED
from tests.cli.test_bad_input import no_override

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ON = {"RETRACE": "1", "RETRACE_SAMPLE_RATE": "1"}


def findings(done: Any) -> dict[str, dict[str, str]]:
    """Return what was looked at -> the finding; of several of one name the worst."""
    order = {"ok": 0, "note": 1, "problem": 2}
    found = sorted(json.loads(done.stdout)["checks"], key=lambda one: order[one["verdict"]])
    return {one["what"]: one for one in found}


@pytest.mark.parametrize(
    ("environ", "what", "words"),
    [
        ({}, "RETRACE", "set RETRACE=1"),
        ({**ON, "RETRACE_SAMPLE_RTE": "1"}, "RETRACE_SAMPLE_RTE", "use RETRACE_SAMPLE_RATE"),
        ({**ON, "RETRACE_PATH": "x"}, "RETRACE_PATH", "use RETRACE_RECORDING_PATH"),
        ({**ON, "RETRACE_ENABLED": "1"}, "RETRACE_ENABLED", "use RETRACE"),
        ({**ON, "RETRACE_GRACE_S": "x"}, "settings", "RETRACE_GRACE_S='x'"),
        (
            {**ON, "RETRACE_RECORDING_PATH": "/proc/nowhere"},
            "folder",
            "or set RETRACE_RECORDING_PATH",
        ),
        ({**ON, "RETRACE_RECORDING_PATH": __file__}, "folder", "a file; remove that"),
        ({**ON, "RETRACE_PURE_PYTHON": "1"}, "extension", "unset RETRACE_PURE_PYTHON"),
    ],
)
def test_problem(
    retrace_alone: Callable[..., Any], environ: dict[str, str], what: str, words: str
) -> None:
    """Each problem says what to do, and the exit status is 1."""
    done = retrace_alone("doctor", "--json", env=environ)
    assert done.returncode == 1
    assert findings(done)[what]["verdict"] == "problem"
    assert words in findings(done)[what]["words"]


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({**ON}, "send a request to the service"),
        ({"RETRACE": "1"}, "only one request in 100 is drawn"),
        ({**ON, "RETRACE_SAMPLE_RATE": "0"}, "RETRACE_SAMPLE_RATE is 0; send a request with"),
        ({}, "recording is off"),
    ],
)
def test_no_recordings_yet(
    retrace_alone: Callable[..., Any], environ: dict[str, str], words: str
) -> None:
    """Where nothing is recorded, it says how the first recording comes about."""
    assert words in findings(retrace_alone("doctor", "--json", env=environ))["recordings"]["words"]


def test_folder_of_somebody_else(retrace_alone: Callable[..., Any], tmp_path: Path) -> None:
    """A folder that may not be written says who should be let in."""
    (tmp_path / "theirs").mkdir(0o500)
    done = retrace_alone(
        "doctor",
        "--json",
        env={**ON, "RETRACE_RECORDING_PATH": "theirs"},
        preexec_fn=no_override,
    )
    assert findings(done)["folder"]["verdict"] == "problem"
    assert f"let uid {os.geteuid()} write there" in findings(done)["folder"]["words"]


def test_little_space(monkeypatch: pytest.MonkeyPatch, recordings: Path) -> None:
    """A disk that is nearly full is a problem before it is full."""
    usage = shutil.disk_usage("/")._replace(free=5_000_000)
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda place: usage)
    disk = next(one for one in checks.check_folder() if one.what == "disk")
    assert (disk.verdict, disk.words.split(" at ")[0]) == ("problem", "5.0 MB free")


@pytest.mark.parametrize("library", ["aiosqlite", "strangers_client"])
def test_boundary_that_does_not_fit(
    retrace_alone: Callable[..., Any], tmp_path: Path, library: str
) -> None:
    """A library that has changed under its boundary, ours or another package's, is named."""
    (tmp_path / f"{library}.py").write_text("def changed(): pass\n")
    (tmp_path / "strangers_boundary.py").write_text("raise LookupError('no such method')\n")
    info = tmp_path / "strangers-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strangers\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[retrace.boundaries]\nstrangers_client = strangers_boundary\n"
    )
    done = retrace_alone("doctor", "--json", env=ON)
    words = [one["words"] for one in json.loads(done.stdout)["checks"] if library in one["words"]]
    assert done.returncode == 1
    assert "is not covered (" in words[0]
    assert "its answers are not recorded" in words[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[retrace]\ngrace_s = -1", "grace_s=-1 (from r.toml)"),
        ("[retrace.limits]\nshare = 3", "limits_share=3 (from r.toml)"),
        ("[retrace", "r.toml"),
    ],
)
def test_a_bad_file_is_named(
    retrace_alone: Callable[..., Any], tmp_path: Path, text: str, words: str
) -> None:
    """What a running process goes on without, with the last good settings, is told here."""
    (tmp_path / "r.toml").write_text(text)
    done = retrace_alone("doctor", "--json", env={**ON, "RETRACE_CONFIG": "r.toml"})
    assert done.returncode == 1
    assert words in findings(done)["settings"]["words"]


def test_a_stop_file_is_named(retrace_alone: Callable[..., Any], tmp_path: Path) -> None:
    """While it is there nothing is recorded, whatever else is set."""
    (tmp_path / "stop").touch()
    done = retrace_alone("doctor", "--json", env={**ON, "RETRACE_STOP_FILE": "stop"})
    assert done.returncode == 1
    assert "stop is there" in findings(done)["RETRACE_STOP_FILE"]["words"]


def test_green_threads_are_named(retrace_alone: Callable[..., Any]) -> None:
    """Where gunicorn is told to use gevent, that is the problem."""
    done = retrace_alone("doctor", "--json", env={**ON, "GUNICORN_CMD_ARGS": "-k gevent"})
    assert done.returncode == 1
    assert "gevent has put its green threads" in done.stdout


def test_a_rate_above_the_ceiling_is_noted(retrace_alone: Callable[..., Any]) -> None:
    """What the limit on the share will suppress comes as no surprise."""
    found = findings(retrace_alone("doctor", "--json", env=ON))
    assert found["RETRACE_LIMITS_SHARE"]["verdict"] == "note"


def test_what_is_missing_by_a_limit_or_by_its_path_is_said(
    retrace_alone: Callable[..., Any],
) -> None:
    """Who tries it out with every request at once finds out why some are not there."""
    found = findings(retrace_alone("doctor", "--json", env=ON))
    assert "0 for no limit" in found["RETRACE_LIMITS_OVERHEAD"]["words"]
    assert "/health" in found["RETRACE_EXCLUDE"]["words"]
    calm = {"RETRACE_LIMITS_OVERHEAD": "0", "RETRACE_EXCLUDE": ""}
    found = findings(retrace_alone("doctor", "--json", env={**ON, **calm}))
    assert "no limit" not in found["RETRACE_LIMITS_OVERHEAD"]["words"]
    assert "/health" not in found["RETRACE_EXCLUDE"]["words"]


def test_what_is_well_is_said(retrace: Callable[..., Any], put: Callable[..., Path]) -> None:
    """Settings with their origins, the folder, the native part and recordings are listed."""
    put()
    found = findings(retrace("doctor", "--json", env=ON))
    assert found["RETRACE"]["words"] == "1 from environment RETRACE"
    assert found["folder"]["verdict"] == "ok"
    assert found["extension"]["verdict"] == "ok"
    assert "the newest of" in found["recordings"]["words"]


def test_probe_leaves_nothing_behind(retrace_alone: Callable[..., Any], tmp_path: Path) -> None:
    """The folder for recordings is tried out, and not made."""
    retrace_alone("doctor", env={**ON, "RETRACE_RECORDING_PATH": "deep/in/here"})
    assert list(tmp_path.iterdir()) == []


def test_words_for_people(retrace_alone: Callable[..., Any]) -> None:
    """Without --json there is a line for each finding and a count at the end."""
    done = retrace_alone("doctor")
    assert "  problem RETRACE: recording is off: set RETRACE=1 for the service" in done.stdout
    assert "see above for what to do" in done.stdout
    assert done.stderr == ""


def test_config_says_where_values_come_from(retrace: Callable[..., Any], tmp_path: Path) -> None:
    """Environment, file and default are told apart."""
    (tmp_path / "r.toml").write_text("[retrace]\ngrace_s = 2.5\n")
    environ = {"RETRACE_CONFIG": "r.toml", "RETRACE": "1"}
    listed = {
        one["name"]: one for one in json.loads(retrace("config", "--json", env=environ).stdout)
    }
    assert (listed["enabled"]["value"], listed["enabled"]["origin"]) == (
        True,
        "environment RETRACE",
    )
    assert (listed["grace_s"]["value"], listed["grace_s"]["origin"]) == (2.5, "r.toml")
    assert listed["queue_bytes"]["origin"] == "default"


def test_config_lists_every_setting(retrace: Callable[..., Any]) -> None:
    """The table has a row for each setting, with what it does."""
    from retrace_core.settings import SETTINGS

    output = retrace("config").stdout
    assert all(setting.variable in output and setting.doc in output for setting in SETTINGS)


def test_nothing_is_advised_for_what_has_a_boundary() -> None:
    """Who covers a library takes it from the list of those that are not."""
    covered = {library.partition(".")[0] for library in installer.available()}
    assert not covered & UNCOVERED.keys()
