"""`retrace verify`: whole folders of real recordings, replayed as tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import ROOT, command_in

if TYPE_CHECKING:
    from pathlib import Path

Shop = Callable[..., Any]


@pytest.fixture
def corpus(recorded_shop: Path, tmp_path: Path) -> Path:
    """A copy of the recorded shop with its recordings: 3 of shop, 1 of till."""
    folder = tmp_path / "shop"
    shutil.copytree(recorded_shop, folder)
    return folder


@pytest.fixture
def verify(corpus: Path) -> Shop:
    """The command `retrace verify recordings`, run in that folder."""
    run = command_in(corpus)

    def in_corpus(*arguments: object, env: dict[str, str] | None = None) -> Any:
        environ = {"SHOP_DATABASE": "/nowhere/shop.db", **(env or {})}
        return run("verify", "recordings", "--app-dir", corpus, *arguments, env=environ)

    return in_corpus


def found(done: Any) -> dict[str, Any]:
    """Return the JSON that was printed."""
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.parametrize("isolate", ["fork", "process", "none"])
def test_all_identical(verify: Shop, isolate: str) -> None:
    """Exit status 0, and the rate of exact matches stands above that of equal responses."""
    done = verify("--isolate", isolate)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("exact matches    100.0 %  (4 of 4)")
    assert lines[1].startswith("equal responses  100.0 %  (4 of 4)")


def test_one_that_differs(verify: Shop) -> None:
    """Exit status 1, the request and the command that looks closer."""
    done = verify(env={"SHOP_EXTRA": "1"})
    assert done.returncode == 1
    assert "exact matches     25.0 %  (1 of 4)" in done.stdout
    assert "equal responses   25.0 %  (1 of 4)" in done.stdout
    assert "GET /buy" in done.stdout
    assert "look closer: retrace replay /" in done.stdout


def test_a_nearest_answer_is_no_exact_match(verify: Shop) -> None:
    """An equal response that another call's answer made is told apart from a true one."""
    sql = "SELECT name, price FROM items WHERE price > ? LIMIT 1"
    document = found(verify("--mode", "tolerant", "--json", "-", env={"SHOP_SQL": sql}))
    assert (document["exact"], document["equal_responses"], document["exit_status"]) == (0, 4, 1)
    assert document["replays"][0]["deviations"][0]["how"] == "nearest"
    assert document["unused_calls"] > 0


@pytest.mark.parametrize("arguments", [(), ("--service", "nobody"), ("--app", "other:app")])
def test_an_empty_corpus_is_an_error(
    verify: Shop, corpus: Path, arguments: tuple[str, ...]
) -> None:
    """Nothing to replay proves nothing: exit status 2, in one line."""
    if not arguments:
        shutil.rmtree(corpus / "recordings")
        (corpus / "recordings").mkdir()
    done = verify(*arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_others_are_passed_by_and_counted(verify: Shop) -> None:
    """The recordings of other services are skipped, with their number."""
    done = verify("--app", "shop:other", "--service", "till")
    assert "exact matches    100.0 %  (1 of 1)" in done.stdout, done.stdout + done.stderr
    assert "skipped: 3 of shop" in done.stdout


def test_recordings_of_another_app(verify: Shop, corpus: Path) -> None:
    """With --app those are skipped that name an application of another package."""
    (corpus / "bakery.py").write_text("from shop import app\n")
    done = verify("--app", "bakery:app")
    assert done.returncode == 2
    assert "3 of shop (shop:application)" in done.stderr
    assert "--service" in done.stderr


def test_a_file_that_cannot_be_read(verify: Shop, corpus: Path) -> None:
    """Exit status 2, and the others are replayed."""
    next((corpus / "recordings").glob("trace-buy/till/*.bin")).write_bytes(b"nonsense")
    document = found(verify("--json", "-"))
    assert (document["exit_status"], document["exact"], document["unusable"]) == (2, 3, 1)


def test_ignored_fields(verify: Shop, corpus: Path) -> None:
    """What may differ by rule does not count, and a rule that met nothing is named."""
    (corpus / "retrace.toml").write_text('[verify]\nignore = ["body.$.extra", "header.X-Never"]\n')
    done = verify("--ignore", "body.$.lost[*].id", "--service", "till", env={"SHOP_EXTRA": "1"})
    assert done.returncode == 0, done.stdout
    assert "1 recording with differences that were ignored by rule" in done.stdout
    assert "ignore 'header.X-Never' matched nothing" in done.stdout
    assert "ignore 'body.$.lost[*].id' matched nothing" in done.stdout
    assert "'body.$.extra' matched nothing" not in done.stdout


@pytest.mark.parametrize("rule", ["body.extra", "headers.date", "body.$", "body.$.a[x]"])
def test_a_rule_that_is_none(verify: Shop, rule: str) -> None:
    """It is refused with what is allowed, before anything is replayed."""
    done = verify("--ignore", rule)
    assert done.returncode == 2
    assert "body.$.field" in done.stderr


def test_junit(verify: Shop, tmp_path: Path) -> None:
    """A test case for each recording, failures with what differs."""
    file = tmp_path / "report.xml"
    verify("--junit", file, env={"SHOP_EXTRA": "1"})
    suite = ElementTree.parse(file).getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "3", "0")
    case = next(one for one in suite if one.get("name") == "GET /buy trace-buy")
    failure = case.find("failure")
    assert failure is not None
    assert "body: recorded" in (failure.text or "")


def test_a_recording_that_takes_its_process_down(verify: Shop, corpus: Path) -> None:
    """It is unusable, with its status; the others are not touched by it."""
    source = (corpus / "shop.py").read_text()
    (corpus / "shop.py").write_text(
        source.replace('if path == "/words":', 'if path == "/words":\n        os._exit(7)')
    )
    document = found(verify("--json", "-"))
    assert (document["exact"], document["unusable"]) == (3, 1)
    (bad,) = [one for one in document["replays"] if "unusable" in one]
    assert "status 7" in bad["unusable"]


def test_a_recording_that_hangs(verify: Shop, corpus: Path) -> None:
    """It is given up after --timeout, alone."""
    source = (corpus / "shop.py").read_text()
    hang = 'if path == "/words":\n        import select; select.select([], [], [], 60)'
    (corpus / "shop.py").write_text(source.replace('if path == "/words":', hang))
    document = found(verify("--json", "-", "--timeout", 4))
    assert (document["exact"], document["unusable"]) == (3, 1)


def test_no_state_goes_from_one_recording_to_the_next(verify: Shop, corpus: Path) -> None:
    """A cache that one replay fills is cold for the next, except with --isolate none."""
    source = (corpus / "shop.py").read_text()
    (corpus / "shop.py").write_text(
        source.replace(
            "def application(environ, start_response):",
            "seen = []\ndef application(environ, start_response):\n"
            "    seen.append(1)\n    if len(seen) > 1: raise SystemError('warm')",
        )
    )
    bad = found(verify("--json", "-", "--isolate", "none", "--jobs", 1))
    good = found(verify("--json", "-", "--jobs", 1))
    # The traceback of /fail has other lines now.
    assert (good["equal_responses"], bad["equal_responses"]) == (3, 1)


def test_marks(verify: Shop, corpus: Path) -> None:
    """What replays identically gets a private mark, once; ls and show tell of it."""
    assert "4 newly marked as verified" in verify("--mark").stderr
    assert "0 newly marked as verified" in verify("--mark").stderr
    marks = list(corpus.glob("recordings/*/*/trace.verified.json"))
    assert len(marks) == 4
    assert {stat.S_IMODE(mark.stat().st_mode) for mark in marks} == {0o600}
    run = command_in(corpus)
    listed = json.loads(run("ls", "--recordings", "recordings", "--json").stdout)
    assert all(one["verified"]["at"] for one in listed)
    shown = run("show", corpus / "recordings/trace-buy/till/trace.bin").stdout
    assert "verified" in shown
    assert "replayed identical on" in shown


def test_no_mark_where_it_was_not_identical(verify: Shop, corpus: Path) -> None:
    """A divergent recording gets none, nor one whose difference was ignored."""
    verify("--mark", "--ignore", "body.$.extra", env={"SHOP_EXTRA": "1"})
    marked = {mark.parts[-3:-1] for mark in corpus.glob("recordings/*/*/*.verified.json")}
    assert marked == {("trace-fail", "shop")}


def test_a_mark_of_another_recording_does_not_count(verify: Shop, corpus: Path) -> None:
    """A mark holds for the recording beside which it was made, and for no other."""
    verify("--mark")
    folder = corpus / "recordings"
    shutil.copy(folder / "trace-fail/shop/trace.bin", folder / "trace-buy/shop/trace.bin")
    listed = json.loads(
        command_in(corpus)("ls", "--recordings", folder, "--trace", "trace-buy", "--json").stdout
    )
    assert {one["service"]: bool(one["verified"]) for one in listed} == {
        "shop": False,
        "till": True,
    }


def test_watch_marks_what_comes(corpus: Path) -> None:
    """It goes on until it is told to end, and then ends with status 0."""
    late = corpus / "recordings" / "trace-words"
    shutil.move(late, corpus / "late")
    options = ["--watch", "--interval", "0.1", "--app-dir", str(corpus)]
    watching = subprocess.Popen(
        [sys.executable, "-m", "retrace_core.cli", "verify", "recordings", *options],
        cwd=corpus,
        env={**os.environ, "PYTHONPATH": ROOT, "SHOP_DATABASE": "/nowhere/shop.db"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert watching.stdout is not None
        said = [watching.stdout.readline() for _ in range(3)]
        shutil.move(corpus / "late", late)
        said.append(watching.stdout.readline())
        assert all(line.startswith("verified  ") for line in said), said
        assert (late / "shop" / "trace.verified.json").is_file()
        watching.send_signal(signal.SIGTERM)
        assert watching.wait(30) == 0
    finally:
        watching.kill()
        watching.communicate()
