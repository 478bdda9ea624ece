"""How good zxcvbn found a password, it finds its pseudonym."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import flask
import pytest
import zxcvbn

from retrace_core import replay
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording
from tests.redaction.raw import raw

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("password", ["password1", "qwertyuiop", "Tall-Green-B0at-9"])
def test_a_pseudonym_is_as_good_as_the_password(recordings: Path, password: str) -> None:
    """Nothing by which it could be guessed is in the recording."""
    app = flask.Flask("shop")

    @app.post("/")
    def signup() -> str:
        found = zxcvbn.zxcvbn(flask.request.form["password"], user_inputs=["ann"])
        return json.dumps([found["score"], found["feedback"]])

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    app.test_client().post("/", data={"password": password}, buffered=True)
    recording = only_recording(recordings)

    result = replay(recording, app)

    assert result.identical, result.summary()
    kept = raw(recordings)
    assert b"guesses" not in kept
    assert password.encode() not in kept
