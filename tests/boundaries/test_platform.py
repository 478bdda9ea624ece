"""`platform`: the machine that recorded, whether it was asked for the first time or not."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import pytest

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("recorded_cold", [True, False])
@pytest.mark.parametrize("replayed_cold", [True, False])
def test_the_machine_is_the_recorded_one(
    recordings: Path,
    monkeypatch: pytest.MonkeyPatch,
    recorded_cold: bool,
    replayed_cold: bool,
) -> None:
    """A cache that was cold or warm changes nothing; nor does another machine."""

    def view() -> str:
        return " ".join((platform.node(), platform.system(), platform.processor()))

    here = platform.uname()
    tuple(here)
    monkeypatch.setattr(platform, "_uname_cache", None if recorded_cold else here)
    app, recording = record_wsgi(recordings, view)
    there = None if replayed_cold else platform.uname_result("Other", "laptop", "1", "1", "x")
    monkeypatch.setattr(platform, "_uname_cache", there)
    assert_identical(recording, app)
