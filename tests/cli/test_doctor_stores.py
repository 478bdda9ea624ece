"""What doctor says of stores: buckets, slow folders, clocks, and what waits in the spool."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.cli import run, store_checks
from retrace_core.settings import resolve
from retrace_core.store import open_store
from retrace_core.store.spool import Spool
from tests.stores.conftest import s3, s3_for_all
from tests.stores.contract import fresh

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core.cli.finding import Finding
    from tests.stores.emulators import Emulator

__all__ = ["s3", "s3_for_all"]


@pytest.fixture
def settings(s3: Emulator, tmp_path: Path) -> Any:
    """Return settings with a store of its own, and a spool."""
    return resolve(
        {"recording_path": f"s3://recordings/{fresh()}", "spool": str(tmp_path / "spool")}
    )


def told(findings: Any, what: str) -> Finding:
    """Return what was found of one thing."""
    (found,) = [one for one in findings if one.what == what]
    return found  # type: ignore[no-any-return]


def test_a_bucket_is_tried_and_left_as_it_was(settings: Any) -> None:
    """All four, and the clock."""
    found = list(store_checks.check_cloud(settings))
    assert [(one.verdict, one.what) for one in found] == [("ok", "clock"), ("ok", "store")]
    assert list(open_store(settings.recording_path).blobs.list()) == []


def test_a_missing_bucket_is_a_problem(s3: Emulator) -> None:
    """The first step says so, and the others are not tried."""
    settings = resolve({"recording_path": "s3://no-such-bucket/x"})
    (found,) = store_checks.check_cloud(settings)
    assert (found.verdict, found.what) == ("problem", "put")
    assert "no such bucket" in found.words


@pytest.mark.parametrize(("step_s", "words"), [(1000, "behind"), (-1000, "ahead of")])
def test_a_clock_that_is_off_is_a_problem(
    settings: Any, monkeypatch: pytest.MonkeyPatch, step_s: int, words: str
) -> None:
    """It names the seconds."""
    real = time.time
    monkeypatch.setattr(store_checks.time, "time", lambda: real() + step_s)
    found = told(store_checks.check_cloud(settings), "clock")
    assert found.verdict == "problem"
    assert words in found.words


def test_a_slow_folder_is_told_to_have_a_spool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is measured, and left as it was."""
    folder = tmp_path / "recordings"
    assert told(store_checks.check_speed(str(folder)), "speed").verdict == "ok"
    assert not folder.exists()
    monkeypatch.setattr(store_checks, "_SLOW_FOLDER_S", 0.0)
    found = told(store_checks.check_speed(str(tmp_path)), "speed")
    assert found.verdict == "problem"
    assert "RETRACE_SPOOL" in found.words
    assert os.listdir(tmp_path) == []


def test_an_old_backlog_is_a_problem(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless one ships just now."""
    assert told(store_checks.check_spool(settings), "backlog").verdict == "ok"
    assert not os.path.exists(settings.spool)
    spool = Spool(settings.spool)
    spool.put_all([(0, 1, fresh(), "shop", "a" * 16, b"x")])
    assert told(store_checks.check_spool(settings), "backlog").verdict == "ok"
    real = time.time
    monkeypatch.setattr(store_checks.time, "time", lambda: real() + 1000)
    found = told(store_checks.check_spool(settings), "backlog")
    assert found.verdict == "problem"
    assert "retrace ship --once" in found.words
    with spool.lock():
        assert told(store_checks.check_spool(settings), "backlog").verdict == "note"


def test_what_was_dropped_and_refused_is_told(settings: Any) -> None:
    """By their numbers."""
    spool = Spool(settings.spool)
    spool.make()
    with open(f"{settings.spool}/dropped.jsonl", "w") as file:
        file.write(json.dumps({"batch": "1", "recordings": 7, "bytes": 700}) + "\n{cut")
    name = f"0{1:019d}~1~1~a~shop~{'a' * 16}"
    with open(f"{settings.spool}/refused/{name}", "w") as file:
        file.write("x")
    found = list(store_checks.check_spool(settings))
    assert told(found, "dropped").words.startswith("7 recordings (700 B)")
    assert told(found, "refused").verdict == "problem"


def test_doctor_looks_at_a_cloud(
    settings: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the settings name one."""
    monkeypatch.setenv("RETRACE_RECORDING_PATH", settings.recording_path)
    monkeypatch.setenv("RETRACE_SPOOL", settings.spool)
    run(["doctor", "--json"])
    found = json.loads(capsys.readouterr().out)["checks"]
    assert {"spool", "backlog", "store", "clock", "recordings"} <= {one["what"] for one in found}
