"""What is signed by cryptography's HMAC, tokens of python-jose: masked, and right on replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flask
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac
from jose import JWTError, jwt

from retrace_core import load, replay, writer
from retrace_mw import RetraceMiddleware
from tests.redaction.raw import files, raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("whose", ["the right key", "another key"])
def test_a_token_is_given_and_taken(recordings: Path, whose: str) -> None:
    """The replay has another key, and says of each what was said."""
    key = "the key of production"
    app = flask.Flask("shop")

    @app.post("/token")
    def token() -> Any:
        return {"access_token": jwt.encode({"sub": "ann"}, key, algorithm="HS256")}

    @app.get("/me")
    def me() -> Any:
        given = flask.request.headers["Authorization"].removeprefix("Bearer ")
        try:
            return {"sub": jwt.decode(given, key, algorithms=["HS256"])["sub"]}
        except JWTError as error:
            return {"error": str(error)}, 401

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    client = app.test_client()
    given = client.post("/token", buffered=True).json["access_token"]  # type: ignore[index]
    if whose == "another key":
        given = jwt.encode({"sub": "ann"}, "what somebody made up", algorithm="HS256")
    answer = client.get("/me", headers={"Authorization": f"Bearer {given}"}, buffered=True)
    assert answer.status_code == (200 if whose == "the right key" else 401)
    assert writer.flush(10)
    assert given.rpartition(".")[2].encode() not in raw(recordings)
    key = "a key of the laptop"
    for path in files(recordings):
        result = replay(load(path), app)
        assert result.identical, result.summary()


def _signs(given: bytes, key: bytes) -> str:
    signing = hmac.HMAC(key, hashes.SHA256())
    signing.update(b"of ")
    other = signing.copy()
    signing.update(given)
    other.update(b"nobody")
    assert isinstance(signing, hmac.HMAC)
    made = signing.finalize()
    assert other.finalize() != made
    checking = hmac.HMAC(key, hashes.SHA256())
    checking.update(b"of " + given)
    checking.verify(made)
    return made.hex()


def _refuses(given: bytes, key: bytes) -> str:
    checking = hmac.HMAC(key, hashes.SHA256())
    checking.update(given)
    try:
        checking.verify(b"no signature of it")
    except InvalidSignature:
        return "refused"
    return "taken"


@pytest.mark.parametrize("way", [_signs, _refuses])
def test_what_cryptography_signs(recordings: Path, way: Callable[[bytes, bytes], str]) -> None:
    """In pieces and by a copy; a wrong signature is wrong again."""
    key = b"the key of production"
    app = flask.Flask("shop")

    @app.post("/")
    def view() -> str:
        return way(flask.request.form["password"].encode(), key)

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    said = app.test_client().post("/", data={"password": "s3cret-value"}, buffered=True).text
    assert said == "refused" or len(said) == 64
    assert writer.flush(10)
    key = b"a key of the laptop"
    (path,) = files(recordings)
    result = replay(load(path), app)
    assert result.identical, result.summary()
