"""Sessions that are signed and compressed replay whatever their pseudonyms are packed to."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import flask
import pytest
from django.core.signing import Signer

from retrace_core import replay, writer
from retrace_core.redaction.tokens import opened
from retrace_mw import RetraceMiddleware
from tests.redaction.raw import files, raw

if TYPE_CHECKING:
    from pathlib import Path

DIGITS = hashlib.sha256(b"ada").hexdigest()
REPEATS = f"12345678-{'12345678' * 6}"
"""Is packed well, which no pseudonym of it is."""
KEYS = [f"a key of the masks that is long enough {number}" for number in range(8)]


def flask_app(_: Path) -> flask.Flask:
    """Return an application that keeps a token in its session, and adds to it."""
    app = flask.Flask("wiki")
    app.secret_key = secrets.token_bytes()

    @app.post("/login")
    def login() -> Any:
        flask.session["token"] = flask.request.form["token"]
        return "welcome"

    @app.get("/")
    def home() -> Any:
        flask.session["seen"] = 1 + flask.session.get("seen", 0)
        return flask.session["token"]

    return app


def django_app(database: Path) -> flask.Flask:
    """Return one that keeps it in a table, as Django's sessions do."""
    app = flask.Flask("shop")
    signer = Signer(key=secrets.token_hex(), fallback_keys=[], salt="sessions")

    @app.post("/login")
    def login() -> Any:
        signed = signer.sign_object({"token": flask.request.form["token"]}, compress=True)
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("INSERT INTO django_session (session_data) VALUES (?)", (signed,))
        return "welcome"

    @app.get("/")
    def home() -> Any:
        with closing(sqlite3.connect(database)) as connection, connection:
            (signed,) = connection.execute("SELECT session_data FROM django_session").fetchone()
            session = {**signer.unsign_object(signed), "seen": 1}
            signed = signer.sign_object(session, compress=True)
            connection.execute("UPDATE django_session SET session_data = ?", (signed,))
        return session["token"]

    return app


@pytest.mark.parametrize("token", [DIGITS, REPEATS], ids=["drawn", "repeats"])
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("make", [flask_app, django_app], ids=["flask", "django"])
def test_replays(  # noqa: PLR0913, PLR0917
    recordings: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Any,
    key: str,
    token: str,
) -> None:
    """Each alone, with another key to sign with, the database gone; the token is in none."""
    monkeypatch.setenv("RETRACE_REDACT_KEY", key)
    database = tmp_path / "shop.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE django_session (session_data)")
    app = make(database)
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)
    client = app.test_client()
    client.post("/login", data={"token": token}, buffered=True)
    assert client.get("/", buffered=True).text == token
    assert writer.flush()
    database.unlink()
    paths = files(recordings)
    assert len(paths) == 2
    assert token.encode() not in opened(raw(recordings))
    for path in paths:
        result = replay(path, make(database))
        assert result.identical, result.summary()
