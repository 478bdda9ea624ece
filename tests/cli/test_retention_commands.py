"""`retrace prune`, `erase`, `keep`, `lifecycle`: what goes, what stays, and bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAY_S = 86400
BOOT = "boot-" + "a" * 32


@pytest.fixture
def three(put: Callable[..., Path], tmp_path: Path) -> None:
    """Recordings of 40, 20 and 0 days: a (of user 42, with a boot tape), b (failed), c."""
    put("a" * 32, tags={"user": 42}, boot=f"{BOOT}/shop")
    put("b" * 32, status=500)
    put("c" * 32, tags={"user": 7})
    tape = put(BOOT, "shop", "boot.bin")
    now = time.time()
    for folder, days in (("a" * 32, 40), ("b" * 32, 20), ("c" * 32, 0)):
        file = tmp_path / "recordings" / folder / "shop" / "trace.bin"
        os.utime(file, (now - days * DAY_S, now - days * DAY_S))
    os.utime(tape, (now - 41 * DAY_S, now - 41 * DAY_S))


def left(tmp_path: Path) -> str:
    """Return the first letters of the folders that hold files; a boot tape is "B"."""
    found = (tmp_path / "recordings").glob("[!.]*/shop/*.bin")
    return "".join(sorted("B" if one.name == "boot.bin" else one.parts[-3][0] for one in found))


def lines(output: str) -> list[dict[str, Any]]:
    """Return the objects of output that has one on each line."""
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.usefixtures("three")
def test_prune_by_age(inside: Callable[..., Any], tmp_path: Path) -> None:
    """What is too old goes, with a receipt, and the boot tape that nobody needs then."""
    done = inside("prune", "--older", "30d")
    assert done.returncode == 0, done.stderr
    assert left(tmp_path) == "bc"
    receipts = lines(done.stdout)
    assert [(one["path"][0], one["rule"], one["outcome"]) for one in receipts] == [
        ("a", "age", "deleted"),
        ("b", "boot_tape", "deleted"),
    ]
    (kept,) = (tmp_path / "recordings" / ".receipts").glob("*/*.jsonl")
    assert lines(kept.read_text()) == receipts
    assert inside("prune", "--older", "30d").stdout == ""


@pytest.mark.usefixtures("three")
def test_a_dry_run_deletes_nothing(inside: Callable[..., Any], tmp_path: Path) -> None:
    """It tells what would go."""
    done = inside("prune", "--bytes", "1B", "--dry-run")
    assert [one["path"][0] for one in lines(done.stdout)] == ["a", "b", "c"]
    assert left(tmp_path) == "Babc"
    assert not (tmp_path / "recordings" / ".receipts").exists()


@pytest.mark.usefixtures("three")
def test_settings_are_the_policy(inside: Callable[..., Any], tmp_path: Path) -> None:
    """By the environment, with failures of their own age."""
    env = {"RETRACE_RETENTION_AGE": "30d", "RETRACE_RETENTION_FAILURES_AGE": "10d"}
    assert inside("prune", env=env).returncode == 0
    assert left(tmp_path) == "c"


@pytest.mark.usefixtures("three")
def test_it_goes_on_and_on(put: Callable[..., Path], tmp_path: Path) -> None:
    """With --every what becomes too old later goes later, until the process is ended."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RETRACE")}
    process = subprocess.Popen(
        [sys.executable, "-m", "retrace_core.cli", "prune", "--older", "30d", "--every", "200ms"],
        cwd=tmp_path,
        env={**clean, "PYTHONPATH": ROOT},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["path"].startswith("a")
        assert json.loads(process.stdout.readline())["rule"] == "boot_tape"
        late = put("d" * 32)
        os.utime(late, (time.time() - 31 * DAY_S,) * 2)
        assert json.loads(process.stdout.readline())["path"].startswith("d")
        assert process.poll() is None
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert left(tmp_path) == "bc"


@pytest.mark.usefixtures("three")
def test_without_sqlalchemy_headers_are_read(retrace: Callable[..., Any], tmp_path: Path) -> None:
    """The catalog is not needed to prune, and needed to find."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Refused:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'sqlalchemy': raise ModuleNotFoundError(name)\n"
        "import importlib.util\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'sqlalchemy'"
        " else found(name, *rest)\n"
        "sys.meta_path.insert(0, Refused())\n"
    )
    env = {"PYTHONPATH": f"{tmp_path}:{os.getcwd()}"}
    done = retrace("prune", "--older", "30d", "--tag", "user=42:99d", env=env)
    assert done.returncode == 0, done.stderr
    assert left(tmp_path) == "Babc"
    assert retrace("prune", "--older", "30d", env=env).returncode == 0
    assert left(tmp_path) == "bc"
    found = retrace("find", env=env)
    assert (found.returncode, "retrace-mw[catalog]" in found.stderr) == (2, True)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    "arguments",
    [
        ["prune"],
        ["prune", "--older", "30"],
        ["prune", "--older", "-30d"],
        ["prune", "--older", "0d"],
        ["prune", "--bytes", "plenty"],
        ["prune", "--bytes", "0"],
        ["prune", "--per-route", "-1"],
        ["prune", "--older", "1s", "--tag", "user:1d"],
        ["prune", "--older", "1s", "--recordings", "/nowhere"],
        ["prune", "--older", "1s", "--recordings", "ftp://x/y"],
        ["prune", "--older", "1s", "--recordings", ""],
        ["erase"],
        ["erase", "--tag", "user"],
        ["erase", "--tag", "=42"],
        ["keep"],
        ["keep", "dddddddd"],
        ["keep", "../../etc"],
        ["keep", "a" * 32, "--until", "yesterday"],
        ["keep", "a" * 32, "--until", "2001-01-01"],
        ["keep", "a" * 32, "--release", "--until", "3d"],
        ["lifecycle", "print", "--s3"],
        ["lifecycle", "print", "--older", "30d"],
        ["lifecycle", "print", "--s3", "--older", "soon"],
    ],
    ids=" ".join,
)
def test_bad_input_deletes_nothing(
    inside: Callable[..., Any], tmp_path: Path, arguments: list[str]
) -> None:
    """One line on standard error, exit status 2, and all is there."""
    done = inside(*arguments)
    assert done.returncode == 2, done.stdout
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert left(tmp_path) == "Babc"
    assert not (tmp_path / "recordings" / ".keep").exists()


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    "env",
    [
        {"RETRACE_RETENTION_AGE": "old"},
        {"RETRACE_RETENTION_AGE": "1s", "RETRACE_RETENTION_TAGS": "user"},
        {"RETRACE_RETENTION_AGE": "1s", "RETRACE_RETENTION_BYTES": "x"},
        {"RETRACE_RETENTION_AGE": "1s", "RETRACE_RETENTION_PER_ROUTE": "-1"},
        {"RETRACE_RETENTION_AGE": "1s", "RETRACE_CATALOG": "mysql://a/b"},
        {"RETRACE_RETENTION_AGE": "1s", "RETRACE_AUDIT": "/nowhere/at/all/audit.jsonl"},
    ],
    ids=str,
)
def test_bad_settings_delete_nothing(
    inside: Callable[..., Any], tmp_path: Path, env: dict[str, str]
) -> None:
    """A setting that is wrong stops it, whatever the others say."""
    done = inside("prune", env=env)
    assert (done.returncode, left(tmp_path)) == (2, "Babc")
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.usefixtures("three")
def test_what_is_kept_stays(inside: Callable[..., Any], tmp_path: Path) -> None:
    """A mark saves a recording, and with it its boot tape, until it is released."""
    assert "for good" in inside("keep", "aaaaaa", "--reason", "ticket 812").stdout
    inside("keep", "cccccc/shop", "--until", "90d")
    listed = json.loads(inside("keep", "--list", "--json").stdout)
    assert [(one["path"][0], one["reason"]) for one in listed] == [("a", "ticket 812"), ("c", "")]
    assert "ticket 812" in inside("keep", "--list").stdout
    inside("prune", "--bytes", "1B", "--older", "1d")
    assert left(tmp_path) == "Bac"
    inside("keep", "aaaaaa", "--release")
    inside("prune", "--older", "1d")
    assert left(tmp_path) == "c"


@pytest.mark.usefixtures("three")
def test_erase_by_tag(inside: Callable[..., Any], tmp_path: Path) -> None:
    """What has the tag goes, with the boot tape that only it needed; no receipt names the user."""
    inside("keep", "aaaaaa")
    done = inside("erase", "--tag", "user=42")
    assert done.returncode == 0, done.stderr
    assert left(tmp_path) == "bc"
    assert {one["rule"] for one in lines(done.stdout)} == {"erase", "boot_tape"}
    everything = [file.read_text() for file in (tmp_path / "recordings").glob(".*/*/*.jsonl")]
    assert len(everything) == 3  # receipts, and the audit of keep and erase
    assert not any("=42" in text for text in [*everything, done.stdout])
    assert inside("find", "--tag", "user=42", "--jsonl").stdout == ""


@pytest.mark.usefixtures("three")
def test_erase_says_what_it_could_not(inside: Callable[..., Any], tmp_path: Path) -> None:
    """A legal hold stays, and a file that can't be read is named: exit status 1."""
    inside("keep", "aaaaaa", "--hold")
    done = inside("erase", "--tag", "user=42")
    assert (done.returncode, left(tmp_path)) == (1, "Babc")
    assert "legal hold" in done.stderr
    (tmp_path / "recordings" / ("b" * 32) / "shop" / "trace.bin").write_bytes(b"torn")
    done = inside("erase", "--tag", "user=7")
    assert (done.returncode, left(tmp_path)) == (1, "Bab")
    assert "can't be read" in done.stderr
    assert inside("keep", "aaaaaa", "--release", "--hold").returncode == 0
    assert inside("erase", "--tag", "user=42", "--dry-run").returncode == 1  # the torn one
    assert left(tmp_path) == "Bab"


@pytest.mark.usefixtures("three")
def test_a_boot_tape_that_others_need_stays(
    inside: Callable[..., Any], put: Callable[..., Path], tmp_path: Path
) -> None:
    """Erasure leaves it alone while another recording of that process is there."""
    put("d" * 32, boot=f"{BOOT}/shop")
    inside("erase", "--tag", "user=42")
    assert left(tmp_path) == "Bbcd"


@pytest.mark.parametrize("cloud", ["s3", "gcs", "azure"])
def test_lifecycle_of_a_cloud(inside: Callable[..., Any], cloud: str) -> None:
    """By the longest age; it names every beginning of a trace, and no folder with a dot."""
    env = {
        "RETRACE_RETENTION_AGE": "36h",
        "RETRACE_RETENTION_FAILURES_AGE": "90d",
        "RETRACE_RETENTION_BYTES": "1GB",
    }
    done = inside("lifecycle", "print", f"--{cloud}", env=env)
    assert done.returncode == 0, done.stderr
    text = json.dumps(json.loads(done.stdout))
    assert "90" in text
    assert ".keep" not in text
    assert "left out" in done.stderr
    document = json.loads(done.stdout)
    if cloud == "s3":
        prefixes = [one["Filter"]["Prefix"] for one in document["Rules"]]
        assert {one["Expiration"]["Days"] for one in document["Rules"]} == {90}
    elif cloud == "gcs":
        rules = document["lifecycle"]["rule"]
        prefixes = [name for one in rules for name in one["condition"]["matchesPrefix"]]
        assert all(len(one["condition"]["matchesPrefix"]) <= 50 for one in rules)
    else:
        filters = [one["definition"]["filters"]["prefixMatch"] for one in document["rules"]]
        prefixes = [name.partition("/")[2] for part in filters for name in part]
        assert all(len(part) <= 10 for part in filters)
    for name in ("0af7651916cd43dd8448eb211c80319c", "Zed", "boot-x"):
        assert sum(name.startswith(prefix) for prefix in prefixes) == 1
    assert not any(name.startswith(tuple(prefixes)) for name in (".keep/x", ".audit/x"))
