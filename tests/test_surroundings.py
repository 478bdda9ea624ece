"""Surroundings: what a replay runs in is what the recording process ran in."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from retrace_core.surroundings import Surroundings, find_out, restored

if TYPE_CHECKING:
    import pytest


def test_an_application_finds_the_arguments_of_its_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may ask whether it is gunicorn that runs it; oslo.config reads a file's name there."""
    monkeypatch.setattr(sys, "argv", ["retrace"])
    given = ["/srv/bin/uwsgi", "--config-file", "gnocchi.conf"]
    with restored(Surroundings(arguments=given), str(tmp_path)):
        assert sys.argv == given
    assert sys.argv == ["retrace"]


def test_those_of_the_replay_stay_where_none_were_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in recordings that know nothing of a start-up."""
    monkeypatch.setattr(sys, "argv", ["retrace"])
    with restored(Surroundings(), str(tmp_path)):
        assert sys.argv == ["retrace"]


def test_where_a_virtual_environment_was_activated_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code that finds none activates one of its own; that of the server is not here."""
    monkeypatch.setenv("VIRTUAL_ENV", "/srv/venv")
    noted = find_out(secrets=False)
    monkeypatch.delenv("VIRTUAL_ENV")
    with restored(noted, str(tmp_path)):
        assert os.environ["VIRTUAL_ENV"] == sys.prefix
    assert "VIRTUAL_ENV" not in os.environ


def told_in_c(name: str) -> str:
    """Return a variable as what is no Python finds it."""
    library = ctypes.CDLL(None)
    library.getenv.restype = ctypes.c_char_p
    value: bytes = library.getenv(name.encode())
    return value.decode()


def test_the_persons_folder_is_the_recorded_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code puts it into rows and answers, as a default of its settings."""
    monkeypatch.setenv("HOME", "/home/app")
    noted = find_out(secrets=False)
    monkeypatch.setenv("HOME", "/home/me")
    with restored(noted, str(tmp_path)):
        assert Path.home() == Path("/home/app")
        assert told_in_c("HOME") == "/home/me"  # by which a library in C keeps its caches
    assert Path.home() == Path("/home/me")
    assert told_in_c("HOME") == "/home/me"
