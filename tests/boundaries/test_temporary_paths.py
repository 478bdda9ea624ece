"""What code makes of the path of a temporary file comes out as it was recorded."""

from __future__ import annotations

import hashlib
import os
import tempfile
from typing import TYPE_CHECKING, Any

import flask
import pytest

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


def export(content: bytes) -> str:
    """Write a temporary file, and return its path."""
    with tempfile.NamedTemporaryFile(suffix=".csv", delete=False) as file:
        file.write(content)
    return file.name


def test_the_mark_of_a_file_that_flask_sends(recordings: Path) -> None:
    """It is made of the path, the size, and when the file was changed."""

    def view() -> Any:
        path = export(b"a;b\n")
        try:
            return flask.send_file(path, mimetype="text/csv")
        finally:
            os.unlink(path)

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert dict(recording.response.headers)["ETag"]
    assert_identical(recording, app)


@pytest.mark.parametrize("is_masked", [True, False])
def test_a_mark_by_inode_and_path(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, is_masked: bool
) -> None:
    """As Bottle's: hashed, which is an event where something is masked."""
    monkeypatch.setenv("RETRACE_REDACT", "1" if is_masked else "0")

    def view() -> str:
        path = export(b"a;b\n")
        status = os.stat(path)
        with open(path, "rb") as file:
            same = os.path.samestat(status, os.fstat(file.fileno()))
        os.unlink(path)
        mark = f"{status.st_dev}:{status.st_ino}:{status.st_mtime}:{path}"
        return f"{hashlib.sha1(mark.encode()).hexdigest()} {same}"

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.body[0].endswith(b" True")
    assert_identical(recording, app)


def test_a_path_that_is_said(recordings: Path) -> None:
    """In a body, in a header, in a name that code reckons of it."""

    def view() -> Any:
        path = export(b"a;b\n")
        os.unlink(path)
        return {"path": path, "folder": os.path.dirname(path)}, 200, {"X-File": path}

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)
