"""`ctypes.util.find_library`: it runs programs to find a library, and a replay runs none."""

from __future__ import annotations

import ctypes.util
from typing import TYPE_CHECKING

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_library_is_called_what_it_was(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is there, and one that is not; on a machine without programs to ask."""

    def view() -> str:
        return f"{ctypes.util.find_library('c')} {ctypes.util.find_library('not-there')}"

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    monkeypatch.setenv("PATH", "")
    assert_identical(recording, app)
