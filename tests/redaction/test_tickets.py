"""A ticket in a cookie, as mod_auth_tkt has them: whom it names comes from the recording."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import flask
import pytest
from pyramid.authentication import AuthTktCookieHelper
from pyramid.request import Request

from retrace_core import replay
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording
from tests.redaction.raw import raw

if TYPE_CHECKING:
    from pathlib import Path

NAME = "ann@example.com"


class Pyramid:
    """Its helper, by which its policy and applications with a policy of their own ask."""

    def __init__(self) -> None:
        self.helper = AuthTktCookieHelper(secrets.token_hex(), hashalg="sha512", timeout=600)

    def ticket(self) -> str:
        """Return the value of a cookie for who has logged in."""
        headers = dict(self.helper.remember(Request.blank("/"), NAME))
        return str(headers["Set-Cookie"]).partition("=")[2].partition(";")[0]

    def name(self, ticket: str) -> str | None:
        """Return whom it names."""
        request = Request.blank("/", headers={"Cookie": f"auth_tkt={ticket}"})
        known = self.helper.identify(request)
        return None if known is None else str(known["userid"])


class RepozeWho:
    """The plug-in by which TurboGears authenticates."""

    def __init__(self) -> None:
        plugin = pytest.importorskip("repoze.who.plugins.auth_tkt").AuthTktCookiePlugin
        self.plugin: Any = plugin(secrets.token_hex(), digest_algo="sha512")

    def ticket(self) -> str:
        """Return the value of a cookie for who has logged in."""
        environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_HOST": "shop.example"}
        headers = self.plugin.remember(environ, {"repoze.who.userid": NAME})
        return str(headers[0][1]).partition("=")[2].partition(";")[0].strip('"')

    def name(self, ticket: str) -> str | None:
        """Return whom it names."""
        known = self.plugin.identify({"HTTP_COOKIE": f"auth_tkt={ticket}"})
        return None if known is None else str(known["repoze.who.plugins.auth_tkt.userid"])


@pytest.mark.parametrize("library", [Pyramid, RepozeWho])
@pytest.mark.parametrize("valid", [True, False], ids=["valid", "forged"])
def test_who_has_logged_in_is_known_on_replay(
    library: Any, valid: bool, recordings: Path, tmp_path: Path
) -> None:
    """The ticket is masked; what it says is no secret, and asked of the database next."""
    tickets = library()
    ticket = tickets.ticket() if valid else "0" * 128 + tickets.ticket()[128:]
    with closing(sqlite3.connect(tmp_path / "users.db")) as connection, connection:
        connection.execute("CREATE TABLE users (name)")
    app = flask.Flask("shop")

    @app.get("/")
    def home() -> str:
        name = tickets.name(flask.request.cookies["auth_tkt"])
        if name is None:
            return "who are you?"
        with closing(sqlite3.connect(tmp_path / "users.db")) as connection:
            found = connection.execute("SELECT * FROM users WHERE name = ?", (name,)).fetchall()
        return f"{len(found)} found"

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    client = app.test_client(use_cookies=False)
    client.get("/", headers={"Cookie": f"auth_tkt={ticket}"}, buffered=True)
    recording = only_recording(recordings)
    assert ticket.encode() not in raw(recordings)
    result = replay(recording, app)
    assert result.identical, result.summary()
