"""Signed cookies that are compressed: what is secret in them is masked, and they are compared."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import flask
import itsdangerous
import pytest

from retrace_core import replay, writer
from retrace_core.redaction.tokens import opened
from retrace_mw import RetraceMiddleware
from tests.redaction.raw import files, raw

if TYPE_CHECKING:
    from pathlib import Path

PERSON = {"email": "grace@example.com", "password": "correct-horse-9-battery"}
TOKEN = f"1795916470-{hashlib.sha256(b'ada').hexdigest()}"


def _app(database: Path) -> flask.Flask:
    app = flask.Flask("wiki")
    app.secret_key = secrets.token_bytes()  # another on each start

    def token() -> str:
        with closing(sqlite3.connect(database)) as connection:
            return str(connection.execute("SELECT session_token FROM users").fetchone()[0])

    @app.post("/login")
    def login() -> str:
        flask.session["trail"] = [f"/wiki/garden/page-{number}" for number in range(8)]
        flask.session["user.session_token"] = token()
        return "welcome"

    @app.get("/")
    def home() -> str:
        flask.session["trail"] = ["/wiki/garden/page-9", *flask.session["trail"]]
        flask.session["user.session_token"] = token()
        return f"{len(flask.session['trail'])} pages"

    return app


def _recorded(folder: Path, database: Path) -> list[Path]:
    """Record a login and a visit; return both recordings, the database gone."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE users (name, session_token)")
        connection.execute("INSERT INTO users VALUES ('ada', ?)", (TOKEN,))
    app = _app(database)
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    client = app.test_client()
    assert client.post("/login", buffered=True).headers["Set-Cookie"].startswith("session=.e")
    assert client.get("/", buffered=True).text == "9 pages"
    assert writer.flush()
    assert len(files(folder)) == 2
    database.unlink()
    return files(folder)


def test_a_session_with_a_token_in_it_is_masked(recordings: Path, tmp_path: Path) -> None:
    """Also where the cookie stands in the next request, and in what was verified."""
    _recorded(recordings, tmp_path / "wiki.db")
    assert TOKEN.encode() not in opened(raw(recordings))
    assert b"page-3" in opened(raw(recordings))


def test_requests_with_it_replay(recordings: Path, tmp_path: Path) -> None:
    """What the code compresses on replay may be shorter, and says the same."""
    paths = _recorded(recordings, tmp_path / "wiki.db")
    app: Any = _app(tmp_path / "wiki.db")
    for path in paths:
        result = replay(path, app)
        assert result.identical, result.summary()


@pytest.mark.parametrize("steps", [0, 12], ids=["short", "compressed"])
def test_a_session_that_is_stored_is_masked(recordings: Path, tmp_path: Path, steps: int) -> None:
    """Also in a column whose name tells nothing: Django's wizards keep forms in such."""
    database = tmp_path / "sessions.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE kept (session_data)")
    app = flask.Flask("wizard")
    signer = itsdangerous.URLSafeTimedSerializer(secrets.token_bytes())

    @app.post("/")
    def step() -> str:
        form = {**flask.request.form, "steps": [f"step-{number}" for number in range(steps)]}
        session = signer.dumps(form)
        assert isinstance(session, str)
        assert session.startswith("." if steps else "eyJ")
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("INSERT INTO kept (session_data) VALUES (?)", (session,))
        return "next"

    plain = app.wsgi_app
    app.wsgi_app = RetraceMiddleware(plain)  # type: ignore[method-assign]
    assert app.test_client().post("/", data=PERSON, buffered=True).text == "next"
    assert writer.flush()
    kept = opened(raw(recordings)) + _decoded(raw(recordings))
    assert b"step" in kept
    for secret in PERSON.values():
        assert secret.encode() not in kept
    database.unlink()
    result = replay(files(recordings)[0], app)
    assert result.identical, result.summary()


def _decoded(data: bytes) -> bytes:
    """Return what stands in base64 in it, where that is JSON."""
    found = re.findall(rb"eyJ[A-Za-z0-9_-]{8,}", data)
    return b"".join(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)) for text in found)
