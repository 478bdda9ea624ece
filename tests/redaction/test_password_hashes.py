"""Hashes of passwords that a request makes are masked wherever they stand, and come back."""

from __future__ import annotations

import base64
import hashlib
import os
import sqlite3
import warnings
from contextlib import closing
from typing import TYPE_CHECKING, Any

import argon2
import bcrypt
import flask
import pytest
from argon2 import low_level

from retrace_core import replay
from retrace_core.redaction.scanning import scan
from retrace_core.redaction.tokens import digest_of
from retrace_core.replay.divergence import same_key
from retrace_core.replay.masks import Masks
from retrace_core.trace_file.load import read_plain
from retrace_mw import RetraceMiddleware
from tests.recorded import assert_identical, identical_body, only_recording, record_wsgi
from tests.redaction.raw import files, raw
from tests.redaction.test_finding import REDACTOR

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PASSWORD = "correct horse battery"


def _argon2(password: str) -> str:
    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    hashed = hasher.hash(password)
    assert hasher.verify(hashed, password)
    return hashed


def _low_argon2(password: str) -> str:
    """As passlib does."""
    kind = low_level.Type.ID
    hashed = low_level.hash_secret(password.encode(), os.urandom(16), 1, 8, 1, 32, type=kind)
    assert low_level.verify_secret(hashed, password.encode(), kind)
    return hashed.decode()


def _bcrypt(password: str) -> str:
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4))
    assert bcrypt.checkpw(password.encode(), hashed)
    return hashed.decode()


def _crypt_of(password: str, salt: str) -> str:
    """By the C library, as passlib does for sha256_crypt and others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        crypt = pytest.importorskip("crypt", reason="it is gone from CPython 3.13")
    hashed: str = crypt.crypt(password, salt)
    return hashed


def _crypt(password: str) -> str:
    hashed = _crypt_of(password, f"$5$rounds=1000${os.urandom(6).hex()}$")
    assert _crypt_of(password, hashed) == hashed
    return hashed


def _web2py(password: str) -> str:
    """As pydal does, by the way that a hash itself says."""
    salt = os.urandom(8).hex()
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt.encode(), 1000, 20)
    hashed = f"pbkdf2(1000,20,sha512)${salt}${made.hex()}"
    way, _, _ = hashed.split("$")
    assert way.startswith("pbkdf2(")
    return hashed


@pytest.mark.parametrize("hashed", [_argon2, _low_argon2, _bcrypt, _crypt, _web2py])
def test_within_bytes(recordings: Path, tmp_path: Path, hashed: Callable[[str], str]) -> None:
    """An application's own format tells nobody what is in it."""
    made: list[str] = []
    database = tmp_path / "users.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE log (data)")
    app = flask.Flask("users")

    @app.post("/")
    def view() -> Any:
        made.append(hashed(flask.request.form["password"]))
        blob = b"\0\0\0N" + len(made[-1]).to_bytes(4, "big") + made[-1].encode() + b"N\0"
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("INSERT INTO log VALUES (?)", (blob,))
        return "kept"

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    app.test_client().post("/", data={"password": PASSWORD}, buffered=True)
    only_recording(recordings)
    database.unlink()
    digest = digest_of(made[0].encode())
    assert len(digest) > 20
    assert digest not in raw(recordings)
    (path,) = files(recordings)
    result = replay(path, app)
    assert result.identical, result.summary()
    assert digest not in made[1].encode()


def _pbkdf2(password: str) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", 10)


def _scrypt(password: str) -> bytes:
    return hashlib.scrypt(password.encode(), salt=b"salt", n=2, r=1, p=1)


CHECKS: dict[str, tuple[Callable[[str], Any], Callable[[Any, str], object]]] = {
    "argon2": (_argon2, lambda known, given: argon2.PasswordHasher().verify(known, given)),
    "argon2, as passlib does": (
        _low_argon2,
        lambda known, given: low_level.verify_secret(
            known.encode(), given.encode(), low_level.Type.ID
        ),
    ),
    "bcrypt": (_bcrypt, lambda known, given: bcrypt.checkpw(given.encode(), known.encode())),
    "pbkdf2": (_pbkdf2, lambda known, given: known == _pbkdf2(given)),
    "scrypt": (_scrypt, lambda known, given: known == _scrypt(given)),
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_pepper_before_a_password(recordings: Path, name: str) -> None:
    """Neither it nor the password, which is made of words, is in the recording."""
    hashed, verify = CHECKS[name]
    pepper, password = "never-known-pepper", "secret-of-ann"
    known = hashed(pepper + password)
    app = flask.Flask("peppered")

    @app.post("/")
    def log_in() -> str:
        given = flask.request.form["password"]
        return "welcome" if verify(known, pepper + given) else "no"

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    answer = app.test_client().post("/", data={"password": password}, buffered=True)
    assert answer.text == "welcome"
    only_recording(recordings)
    assert pepper.encode() not in raw(recordings)
    assert password.encode() not in raw(recordings)
    (path,) = files(recordings)
    result = replay(path, app)
    assert result.identical, result.summary()


def test_a_check_that_was_recorded_before_passwords_had_a_name() -> None:
    """Until 2026-11-29 a password stood in the event by itself."""
    masks = Masks([b"uvwxyz-ab"])
    assert same_key([b"$2b$", b"uvwxyz-ab"], [b"$2b$", {"secret": b"uvwxyz-ab"}], masks=masks)
    assert not same_key([b"$2b$", b"uvwxyz-ab"], [b"$2b$", {"secret": b"other"}], masks=masks)


WRITTEN = {
    "passlib": "$pbkdf2-sha256$10$salt$",
    "roundup": "{PBKDF2}10$salt$",
    "LDAP": "{PBKDF2-SHA256}",
}


@pytest.mark.parametrize("given", [PASSWORD, "another horse"])
@pytest.mark.parametrize("name", WRITTEN)
def test_a_hash_as_it_is_stored(recordings: Path, tmp_path: Path, name: str, given: str) -> None:
    """Code looks for the method in it, and writes what it hashes as base64 with a point."""

    def hashed(password: str) -> str:
        return base64.b64encode(_pbkdf2(password), b"./").rstrip(b"=").decode()

    database = tmp_path / "users.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE users (password)")
        connection.execute("INSERT INTO users VALUES (?)", (WRITTEN[name] + hashed(PASSWORD),))
    app = flask.Flask("users")

    @app.post("/")
    def log_in() -> str:
        with closing(sqlite3.connect(database)) as connection:
            (stored,) = connection.execute("SELECT password FROM users").fetchone()
        known = stored.removeprefix(WRITTEN[name])
        if len(known) == len(stored):
            return "unknown method"
        return "welcome" if known == hashed(flask.request.form["password"]) else "no"

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    answer = app.test_client().post("/", data={"password": given}, buffered=True)
    assert answer.text == ("welcome" if given == PASSWORD else "no")
    only_recording(recordings)
    assert hashed(PASSWORD).encode() not in raw(recordings)
    database.unlink()
    (path,) = files(recordings)
    result = replay(path, app)
    assert result.identical, result.summary()


def test_the_digest_of_an_objects_address(recordings: Path) -> None:
    """A cache's key of arguments that were written down: another in each process, but on replay."""
    alive: list[object] = []

    def view() -> dict[str, str]:
        alive.append(type("Session", (), {})())
        key = hashlib.md5(f"shop:count:{{'session': {alive[-1]!r}}}".encode())
        return {"key": key.hexdigest()}

    app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)


@pytest.mark.parametrize("library", ["bcrypt", "crypt"])
def test_a_hash_that_is_a_constant_of_the_code(recordings: Path, library: str) -> None:
    """A backend is tried by a password with a known hash: on replay it is right as well."""
    known = "$5$rounds=1000$test$QmQADEXMG8POI5WDsaeho0P36yK3Tcrgboabng6bkb/"
    hashed = bcrypt.hashpw(b"test", bcrypt.gensalt(4))
    if library == "crypt":
        _crypt("test")  # skipped where it is gone

    def view() -> list[bool]:
        if library == "crypt":
            return [_crypt_of("test", known) == known, _crypt_of("tost", known) == known]
        return [bcrypt.hashpw(b"test", hashed) == hashed, bcrypt.hashpw(b"tost", hashed) == hashed]

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert b"".join(recording.response.body) == b"[true,false]\n"
    assert_identical(recording, app)


def test_the_way_in_which_web2py_hashed_is_kept(recordings: Path, tmp_path: Path) -> None:
    """A replay reads from the hash in the database how it was made."""
    database = tmp_path / "users.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE users (password)")
        connection.execute("INSERT INTO users VALUES (?)", (_web2py(PASSWORD),))

    def view() -> Any:
        with closing(sqlite3.connect(database)) as connection:
            (hashed,) = connection.execute("SELECT password FROM users").fetchone()
        way, salt, digest = hashed.split("$")
        count, size, name = way.removeprefix("pbkdf2(").removesuffix(")").split(",")
        given = PASSWORD.encode()
        made = hashlib.pbkdf2_hmac(name, given, salt.encode(), int(count), int(size))
        return "welcome" if made.hex() == digest else "no"

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.body == [b"welcome"]
    database.unlink()
    assert_identical(recording, app, 1)


@pytest.mark.parametrize("salt_first", [True, False], ids=["salt-first", "digest-first"])
def test_a_salt_and_a_hash_with_nothing_between_them(
    recordings: Path, tmp_path: Path, *, salt_first: bool
) -> None:
    """Code takes them apart by their lengths."""

    def hashed(salt: str) -> str:
        made = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), bytes.fromhex(salt), 10).hex()
        return salt + made if salt_first else made + salt

    stored = hashed(os.urandom(16).hex())
    with closing(sqlite3.connect(tmp_path / "users.db")) as connection, connection:
        connection.execute("create table users (password)")
        connection.execute("insert into users values (?)", (stored,))

    def log_in() -> str:
        with closing(sqlite3.connect(tmp_path / "users.db")) as connection:
            (found,) = connection.execute("select password from users").fetchone()
        salt = found[:32] if salt_first else found[-32:]
        return "welcome" if hashed(salt) == found else "no"

    app, recording = record_wsgi(recordings, log_in)
    assert stored.encode() not in raw(recordings)
    assert recording.response is not None
    assert recording.response.body == [b"welcome"]
    assert_identical(recording, app)


def test_a_masked_one_is_nothing_that_slipped_through(recordings: Path, tmp_path: Path) -> None:
    """Django's ends with the padding of base64, and so does its mask."""
    database = tmp_path / "shop.db"
    digest = base64.b64encode(hashlib.sha256(PASSWORD.encode()).digest()).decode()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE users (password)")
        stored = f"pbkdf2_sha256$1000000$lPiCodGNPN3sCtwqMtMTfW${digest}"
        connection.execute("INSERT INTO users VALUES (?)", (stored,))

    def view() -> str:
        with closing(sqlite3.connect(database)) as connection:
            return str(connection.execute("SELECT password FROM users").fetchone())

    record_wsgi(recordings, view)
    (path,) = files(recordings)
    assert digest.encode() not in raw(recordings)
    assert not scan(read_plain(path), REDACTOR, "it")
