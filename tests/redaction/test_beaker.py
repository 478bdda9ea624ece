"""Beaker's sessions: which one a masked cookie names comes from the recording."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import flask
import pytest

from retrace_core import replay
from retrace_mw import RetraceMiddleware
from retrace_mw.deciders import Never
from tests.recorded import only_recording

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("forged", [False, True], ids=["valid", "forged"])
def test_a_session_in_a_database_is_found_again(
    forged: bool, recordings: Path, tmp_path: Path
) -> None:
    """The first request makes it and is not recorded; the second reads it."""
    middleware = pytest.importorskip("beaker.middleware").SessionMiddleware
    database = tmp_path / "sessions.db"
    app = flask.Flask("shop")

    @app.get("/")
    def home() -> str:
        session: Any = flask.request.environ["beaker.session"]
        if "name" not in session:
            return "who are you?"
        return f"hello {session['name']}"

    @app.get("/login")
    def login() -> str:
        session: Any = flask.request.environ["beaker.session"]
        session["name"] = "ann"
        session.save()
        return "welcome"

    options = {"session.type": "ext:database", "session.url": f"sqlite:///{database}"}
    served = middleware(app.wsgi_app, {**options, "session.secret": secrets.token_hex()})
    app.wsgi_app = RetraceMiddleware(served, decide=Never())  # type: ignore[method-assign]
    value = app.test_client().get("/login").headers["Set-Cookie"].partition(";")[0]
    if forged:
        value = value.replace("=", "=0", 1)[: len(value)]
    app.wsgi_app = RetraceMiddleware(served)  # type: ignore[method-assign]
    client = app.test_client(use_cookies=False)
    answer = client.get("/", headers={"Cookie": value}, buffered=True)
    assert answer.text == ("who are you?" if forged else "hello ann")
    recording = only_recording(recordings)
    database.unlink()
    result = replay(recording, app)
    assert result.identical, result.summary()
