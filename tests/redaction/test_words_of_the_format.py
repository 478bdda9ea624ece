"""Secrets that are words of the format of recordings, by which a reader finds its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask
import pytest

from retrace_core import load, replay, writer
from retrace_mw import RetraceMiddleware
from tests.redaction.raw import files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "word", ["request", "response", "lane", "sites", "failure", "wsgi", "POST", "http", "redaction"]
)
def test_such_a_secret_is_masked_and_the_recording_is_read(recordings: Path, word: str) -> None:
    """Where it was given, and nowhere else."""
    app = flask.Flask("sign-up")

    @app.post("/")
    def sign_up() -> str:
        return f"welcome to {flask.request.json['name']}"  # type: ignore[index]

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    given = {"name": "ada", "password": word}
    assert app.test_client().post("/", json=given, buffered=True).text == "welcome to ada"
    assert writer.flush()
    recording = load(files(recordings)[0])
    assert (recording.request.protocol, recording.request.method) == ("wsgi", "POST")
    assert recording.request.scheme == "http"
    assert f'"password": "{word}"'.encode() not in b"".join(recording.request.body)
    result = replay(recording, app)
    assert result.identical, result.summary()
