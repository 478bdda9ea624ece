"""What a process keeps in memory under a secret is found again by the next replayed request."""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from typing import TYPE_CHECKING, Any

import flask

from retrace_core import load, replay, writer
from retrace_core.replay.masks import Masks
from retrace_mw import RetraceMiddleware
from tests.redaction.raw import files, raw

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core import Recording


def make_app() -> flask.Flask:
    """Return an application that keeps its sessions in memory, by the ids in their cookies."""
    app = flask.Flask("shop")
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    names: dict[str, str] = {}

    @app.post("/login")
    def login() -> Any:
        session = f"{uuid.uuid4().hex}!{base64.b64encode(secrets.token_bytes(9)).decode()}"
        names[session] = flask.request.form["name"]
        response = flask.Response("welcome")
        response.set_cookie("session", session)
        return response

    @app.get("/")
    def whose() -> str:
        session = flask.request.cookies["session"]
        tag = hashlib.sha256(f"tag of {session}".encode()).hexdigest()[:12]
        return f"{names.get(session, 'nobody')} {tag}"

    return app


def record(folder: Path) -> list[Recording]:
    """Record a login, and who asks then."""
    client = make_app().test_client()
    client.post("/login", data={"name": "Ann"})
    cookie = client.get_cookie("session")
    assert cookie is not None
    assert client.get("/").text.startswith("Ann ")
    assert writer.flush(10)
    assert cookie.value.encode() not in raw(folder)
    return sorted(map(load, files(folder)), key=lambda one: one.header.started_ns)


def test_a_session_in_memory_is_found_by_its_masked_cookie(recordings: Path) -> None:
    """The replay of the login works out another id than the cookie says; it is told that one."""
    login, after = record(recordings)
    result = replay(after, make_app(), before=[login])
    assert result.identical, result.summary()


def test_without_the_request_that_made_it_there_is_none(recordings: Path) -> None:
    """Nothing is told that no replay has said."""
    _, after = record(recordings)
    result = replay(after, make_app())
    assert [one.what for one in result.differences] == ["header content-length", "body"]


def test_texts_are_told_within_values_of_any_shape() -> None:
    """In text, bytes, lists and dictionaries; what is short, or no pseudonym of it, stays."""
    masks = Masks([b"pseudonym-1", b"short", b"pseudonym-\xc3\xa9"])
    masks.tell({b"pseudonym-1": b"said-by-one", b"short": b"other", b"unknown-one": b"whatever-it"})
    value = {"a pseudonym-1": [b"=pseudonym-1;", ("short", 3, None)], "b": "pseudonym-\xe9"}
    told = masks.told(value)
    assert told == {"a said-by-one": [b"=said-by-one;", ("short", 3, None)], "b": "pseudonym-\xe9"}
    assert "a pseudonym-1" in value
    assert masks.recorded(b"of said-by-one") == b"of pseudonym-1"
    assert masks.same("pseudonym-1", "said-by-one")
