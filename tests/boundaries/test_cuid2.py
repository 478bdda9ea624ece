"""cuid2: an id is made of all that the process is, which on replay is another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cuid2

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_an_id_is_the_same_in_another_shell(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of all variables are in it; those of a shell are not in the recording."""
    monkeypatch.setenv("OLDPWD", "/srv")
    app, recording = record_wsgi(recordings, lambda: cuid2.Cuid().generate())
    monkeypatch.delenv("OLDPWD")
    assert_identical(recording, app)
