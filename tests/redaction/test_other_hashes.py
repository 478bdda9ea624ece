"""Hashes of other kinds, and those begun before the request: masked, and found again."""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import flask
import pytest
from mercurial.thirdparty import sha1dc  # type: ignore[import-untyped]

from retrace_core import native, replay
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording
from tests.redaction.raw import raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    native.IMPLEMENTATION != "c", reason="the fallback records no digests"
)

ADDRESS = "ann.of.the.shop@example.com"
BEGUN = hashlib.sha256(b"prefix of a key")
BEGUN_DC = sha1dc.sha1(b"\0" * 20)


def _updated(made: Any, said: bytes) -> Any:
    made.update(said)
    return made


WAYS: dict[str, Callable[[bytes], Any]] = {
    "blake2b": hashlib.blake2b,
    "blake2s": lambda said: hashlib.new("blake2s", said),
    "blake2b-with-options": lambda said: hashlib.blake2b(said, digest_size=20, person=b"cart"),
    "sha3": hashlib.sha3_256,
    "begun-earlier": lambda said: _updated(BEGUN.copy(), said),
    "copied-again": lambda said: _updated(BEGUN.copy().copy(), said),
    "mercurial": sha1dc.sha1,
    "mercurial-begun-earlier": lambda said: _updated(BEGUN_DC.copy(), said),
}


def shop(hashed: Callable[[bytes], Any]) -> flask.Flask:
    app = flask.Flask("shop")

    @app.post("/")
    def view() -> str:
        return hashed(flask.request.form["email"].encode()).hexdigest()  # type: ignore[no-any-return]

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    return app


@pytest.mark.parametrize("way", WAYS)
def test_a_digest_of_what_is_masked_comes_from_the_recording(recordings: Path, way: str) -> None:
    app = shop(WAYS[way])

    said = app.test_client().post("/", data={"email": ADDRESS}, buffered=True).text
    result = replay(only_recording(recordings), app)

    assert said == WAYS[way](ADDRESS.encode()).hexdigest()
    assert said.encode() not in raw(recordings)
    assert result.identical, result.summary()


@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_a_digest_in_base32_is_masked(recordings: Path, case: Callable[[str], str]) -> None:
    """As archives of mailing lists know a mail by the hash of its id."""
    app = flask.Flask("shop")

    @app.post("/")
    def view() -> str:
        digest = hashlib.sha1(flask.request.form["email"].encode()).digest()
        return case(base64.b32encode(digest).decode())

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    said = app.test_client().post("/", data={"email": ADDRESS}, buffered=True).text

    assert said.encode() not in raw(recordings)
    result = replay(only_recording(recordings), app)
    assert result.identical, result.summary()


def test_options_tell_digests_of_the_same_apart(recordings: Path) -> None:
    def both(said: bytes) -> Any:
        order = hashlib.blake2b(said, digest_size=20, person=b"order").hexdigest()
        cart = hashlib.blake2b(said, digest_size=20, person=b"cart").hexdigest()
        return hashlib.sha1(f"{order} {cart}".encode())

    app = shop(both)
    app.test_client().post("/", data={"email": ADDRESS}, buffered=True)

    result = replay(only_recording(recordings), app)

    assert result.identical, result.summary()


def test_a_kept_hash_passes_for_one_of_its_type(recordings: Path) -> None:
    def hashed(said: bytes) -> Any:
        made = hashlib.blake2b(said)
        assert isinstance(made, hashlib.blake2b)
        assert made.MAX_DIGEST_SIZE == 64
        return made

    app = shop(hashed)
    answer = app.test_client().post("/", data={"email": ADDRESS}, buffered=True)

    assert answer.status_code == 200
    assert only_recording(recordings)


def test_a_wrong_argument_is_refused_as_ever(recordings: Path) -> None:
    def hashed(said: bytes) -> Any:
        with pytest.raises(TypeError, match="buffer API"):
            hashlib.blake2b(7)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="digest_size"):
            hashlib.blake2b(said, digest_size=99)
        return hashlib.blake2b(said)

    app = shop(hashed)

    assert app.test_client().post("/", data={"email": ADDRESS}, buffered=True).status_code == 200


def test_where_secrets_are_not_masked_a_hash_is_a_plain_one(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRACE_REDACT", "0")
    kinds: list[type] = []

    def hashed(said: bytes) -> Any:
        made = hashlib.blake2b(said)
        kinds.append(type(made))
        return made

    app = shop(hashed)
    said = app.test_client().post("/", data={"email": ADDRESS}, buffered=True).text

    assert kinds == [hashlib.blake2b]
    assert said == hashlib.blake2b(ADDRESS.encode()).hexdigest()


def test_a_digest_that_is_stored_as_a_password_is_masked_as_that_is(
    recordings: Path, tmp_path: Path
) -> None:
    """Subsonic's clients send the password as `p`, which nobody knows for one by its name."""
    stored = hashlib.sha1(b"salt" + b"correct-horse-7", usedforsecurity=False).hexdigest()
    with closing(sqlite3.connect(tmp_path / "users.db")) as connection, connection:
        connection.execute("create table user (name, password, salt)")
        connection.execute("insert into user values ('ann', ?, 'salt')", (stored,))
    app = flask.Flask("shop")

    @app.post("/")
    def view() -> str:
        with closing(sqlite3.connect(tmp_path / "users.db")) as connection:
            rows = connection.execute("select password, salt from user where name = 'ann'")
            password, salt = rows.fetchone()
        given = f"{salt}{flask.request.form['p']}".encode()
        return str(hashlib.sha1(given, usedforsecurity=False).hexdigest() == password)

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    assert app.test_client().post("/", data={"p": "correct-horse-7"}, buffered=True).text == "True"
    recording = only_recording(recordings)

    assert stored.encode() not in raw(recordings)
    result = replay(recording, app)
    assert result.identical, result.summary()


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_key_of_a_cache_that_is_made_of_the_beginning_of_a_digest(
    recordings: Path, tmp_path: Path, encode: Callable[[bytes], bytes]
) -> None:
    """Flask-Caching makes such of the arguments of what it memoizes."""
    app = flask.Flask("shop")
    with closing(sqlite3.connect(tmp_path / "cache.db")) as connection, connection:
        connection.execute("create table cache (key, value)")

    @app.post("/")
    def view() -> str:
        digest = hashlib.md5(flask.request.form["email"].encode(), usedforsecurity=False).digest()
        key = f"flask_cache_{encode(digest)[:16].decode()}sHPyWe"
        with closing(sqlite3.connect(tmp_path / "cache.db")) as connection:
            rows = connection.execute("select value from cache where key = ?", (key,))
            return str(rows.fetchall())

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    app.test_client().post("/", data={"email": ADDRESS}, buffered=True)
    result = replay(only_recording(recordings), app)
    assert result.identical, result.summary()
