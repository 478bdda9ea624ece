"""Bottle's signed cookies: what a masked one says comes from the recording."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
from webob import Request

from retrace_core import replay
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("forged", [False, True], ids=["valid", "forged"])
def test_who_came_is_known_again(forged: bool, recordings: Path) -> None:
    """Nobody can sign the masked one."""
    bottle: Any = pytest.importorskip("bottle")
    app, key = bottle.Bottle(), secrets.token_hex()

    @app.get("/login")
    def login() -> str:
        bottle.response.set_cookie("account", {"name": "ann", "rights": ["read"]}, secret=key)
        return "welcome"

    @app.get("/")
    def home() -> str:
        account = bottle.request.get_cookie("account", {}, secret=key)
        return f"{account.get('name')} {account.get('rights')}"

    cookie = Request.blank("/login").get_response(app).headers["Set-Cookie"].partition(";")[0]
    if forged:
        cookie = cookie.replace("!", "!A", 1)
    recorded = RetraceMiddleware(app)
    answer = Request.blank("/", headers={"Cookie": cookie}).get_response(recorded)
    assert answer.text == ("None None" if forged else "ann ['read']")
    result = replay(only_recording(recordings), recorded)
    assert result.identical, result.summary()
