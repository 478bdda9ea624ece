"""Mercurial asks in C of which kind a file system is, by which it makes hard links or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mercurial.cext import osutil

from retrace_core import replay
from tests.recorded import record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_that_is_gone_was_of_its_kind(recordings: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()

    def view() -> Any:
        return {"kind": osutil.getfstype(bytes(repository)).decode()}

    app, recording = record_wsgi(recordings, view)
    repository.rmdir()
    result = replay(recording, app)
    assert result.identical, result.summary()
