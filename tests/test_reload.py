"""Reload: settings change while running, as a whole or not at all."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from retrace_core import stats, writer
from retrace_mw import RetraceMiddleware, reload
from retrace_mw.reload import FileWatch

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """Seconds that a test lets go by."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def replaced(path: Path, text: str) -> None:
    """Replace a file in one step, as configuration management does."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


def test_a_file_is_looked_at_once_in_a_while(tmp_path: Path) -> None:
    """A change is told once, and not before the interval is over."""
    clock, path = Clock(), tmp_path / "retrace.toml"
    watch = FileWatch([str(path)], interval_s=1.0, clock=clock)
    replaced(path, "one")
    assert not watch.changed()
    clock.now = 1.0
    assert watch.changed()
    assert not watch.changed()


def test_the_swap_of_a_link_is_a_change(tmp_path: Path) -> None:
    """A mounted ConfigMap changes by the swap of a link to a folder."""
    clock = Clock()
    for name in ("v1", "v2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "retrace.toml").write_text("[retrace]")
    (tmp_path / "data").symlink_to("v1")
    watch = FileWatch([str(tmp_path / "data" / "retrace.toml")], clock=clock)
    (tmp_path / "fresh").symlink_to("v2")
    (tmp_path / "fresh").replace(tmp_path / "data")
    clock.now = 1.0
    assert watch.changed()


@pytest.fixture
def config(tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a settings file that is looked at for every request."""
    path = tmp_path / "retrace.toml"
    monkeypatch.setenv("RETRACE_CONFIG", str(path))
    monkeypatch.delenv("RETRACE_SAMPLE_RATE")
    monkeypatch.setattr(
        reload.FileWatch.__init__, "__kwdefaults__", {"interval_s": 0.0, "clock": lambda: 1.0}
    )
    return path


def hello(environ: Any, start_response: Any) -> list[bytes]:
    """A WSGI application."""
    start_response("200 OK", [])
    return [b"hello"]


def count(folder: Path) -> int:
    """Return how many recordings there are."""
    assert writer.flush()
    return len(list(folder.glob("*/*/*.bin")))


def test_a_changed_rate_counts_at_once(config: Path, recordings: Path) -> None:
    """No restart is needed."""
    config.write_text("[retrace]\nsample_rate = 0.0")
    client = Client(RetraceMiddleware(hello, service="shop"))
    client.get("/", buffered=True)
    assert count(recordings) == 0
    replaced(config, "[retrace]\nsample_rate = 1.0")
    client.get("/", buffered=True)
    assert count(recordings) == 1


def test_off_in_the_file_wins_over_the_environment(config: Path, recordings: Path) -> None:
    """RETRACE=1 is set; `enabled = false` stops new recordings all the same, and on again."""
    config.write_text("[retrace]\nsample_rate = 1.0\nenabled = false")
    client = Client(RetraceMiddleware(hello, service="shop"))
    client.get("/", buffered=True)
    assert count(recordings) == 0
    replaced(config, "[retrace]\nsample_rate = 1.0")
    client.get("/", buffered=True)
    assert count(recordings) == 1
    replaced(config, "[retrace]\nsample_rate = 1.0\nenabled = false")
    client.get("/", buffered=True)
    assert count(recordings) == 1


def test_a_bad_file_keeps_the_last_good_settings(
    config: Path, recordings: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told in the log, with the setting, and counted."""
    config.write_text("[retrace]\nsample_rate = 1.0")
    client = Client(RetraceMiddleware(hello, service="shop"))
    before = stats().get("config.rejected", 0)
    replaced(config, "[retrace]\nsample_rate = 17")
    with caplog.at_level(logging.ERROR, "retrace"):
        client.get("/", buffered=True)
    assert count(recordings) == 1
    assert stats()["config.rejected"] == before + 1
    assert "sample_rate" in caplog.text
    assert "17" in caplog.text


def test_a_stop_file_stops_new_recordings(
    config: Path, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is there nothing is recorded; after it is gone, again."""
    stop = tmp_path / "stop"
    monkeypatch.setenv("RETRACE_STOP_FILE", str(stop))
    config.write_text("[retrace]\nsample_rate = 1.0")
    client = Client(RetraceMiddleware(hello, service="shop"))
    stop.touch()
    client.get("/", buffered=True)
    assert count(recordings) == 0
    stop.unlink()
    client.get("/", buffered=True)
    assert count(recordings) == 1


def test_what_is_being_recorded_when_it_is_switched_off_is_kept(
    config: Path, recordings: Path
) -> None:
    """The switch stops new recordings; those that run come to their end."""
    config.write_text("[retrace]\nsample_rate = 1.0")

    def streaming(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"before"
        yield b"after"

    client = Client(RetraceMiddleware(streaming, service="shop"))
    chunks = client.get("/").iter_encoded()
    assert next(chunks) == b"before"
    replaced(config, "[retrace]\nsample_rate = 1.0\nenabled = false")
    client.get("/", buffered=True)
    assert list(chunks) == [b"after"]
    assert count(recordings) == 1
