"""Signatures and digests of what is masked come from the recording, by what they are of."""

from __future__ import annotations

import base64
import hashlib
import hmac
import sqlite3
import uuid
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import flask
import itsdangerous
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from retrace_core import native, replay, writer
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording
from tests.redaction.raw import files, raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PASSWORD = "correct horse battery"
KEY = [b"the key of production"]


def replayed(folder: Path, database: Path, signed: Callable[[str], object]) -> Any:
    """Record a view that looks up what it signs, and replay it with another key, without it."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE seen (found)")
    app = flask.Flask("shop")

    @app.post("/")
    def view() -> Any:
        key = signed(flask.request.form["password"])
        with closing(sqlite3.connect(database)) as connection:
            found = connection.execute("SELECT found FROM seen WHERE found = ?", (key,)).fetchall()
        return flask.jsonify(found=len(found), key=key.hex() if isinstance(key, bytes) else key)

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    app.test_client().post("/", data={"password": PASSWORD}, buffered=True)
    only_recording(folder)
    assert PASSWORD.encode() not in raw(folder)
    database.unlink()
    KEY[0] = b"another"
    try:
        (path,) = files(folder)
        return replay(path, app)
    finally:
        KEY[0] = b"the key of production"


def test_of_one_piece(recordings: Path, tmp_path: Path) -> None:
    """As kinto keeps who is logged in."""
    result = replayed(
        recordings,
        tmp_path / "a.db",
        lambda password: hmac.new(KEY[0], password.encode(), "sha256").hexdigest(),
    )
    assert result.identical, result.summary()


def test_of_several_pieces(recordings: Path, tmp_path: Path) -> None:
    """Fed bit by bit, copied, and asked twice."""

    def signed(password: str) -> object:
        signing = hmac.new(KEY[0], digestmod="sha1")
        signing.update(b"user:")
        other = signing.copy()
        other.update(password.encode())
        return signing.hexdigest() + base64.b64encode(other.digest()).decode()

    result = replayed(recordings, tmp_path / "a.db", signed)
    assert result.identical, result.summary()


def test_in_one_call(recordings: Path, tmp_path: Path) -> None:
    """`hmac.digest` signs too."""
    result = replayed(
        recordings,
        tmp_path / "a.db",
        lambda password: hmac.digest(KEY[0], password.encode(), "sha256"),
    )
    assert result.identical, result.summary()


def test_of_something_else_is_reckoned(recordings: Path, tmp_path: Path) -> None:
    """What was not signed when it was recorded has no recorded signature: the replay diverges."""

    def signed(password: str) -> object:
        return hmac.new(KEY[0], password.encode() + KEY[0][:1], "sha256").hexdigest()

    result = replayed(recordings, tmp_path / "a.db", signed)
    assert not result.identical


def test_a_large_one_is_not_kept(recordings: Path, tmp_path: Path) -> None:
    """Its bytes would be in the recording twice."""

    def signed(password: str) -> object:
        return len(hmac.new(KEY[0], password.encode() * 10_000, "sha256").digest())

    result = replayed(recordings, tmp_path / "a.db", signed)
    assert result.identical, result.summary()
    kinds = [event.kind for _, event in only_recording(recordings).timeline()]
    assert "sqlite3.execute" in kinds
    assert "free.hmac.digest" not in kinds


DIGESTS: dict[str, Callable[[str], object]] = {
    "salted": lambda password: sha256(b"salt" + password.encode()).hexdigest(),
    "in pieces": lambda password: _fed(password).digest(),
    "by name": lambda password: hashlib.new("sha512", f"a:{password}".encode()).digest(),
    "in base64": lambda password: base64.b64encode(
        hashlib.sha1(f"a:{password}".encode()).digest()
    ).decode(),
    "cut": lambda password: hashlib.md5(f"a:{password}".encode()).hexdigest()[:12],
    "as Git calls it": lambda password: hashlib.sha1(f"a:{password}".encode()).hexdigest()[:7],
    "in a folder": lambda password: _placed(password, 2),
    "in two folders": lambda password: _placed(password, 2, 4),
    "uuid5": lambda password: str(uuid.uuid5(uuid.NAMESPACE_URL, f"acct:{password}")),
    "uuid3": lambda password: uuid.uuid3(uuid.NAMESPACE_DNS, f"a:{password}").hex,
    "uuid of bytes": lambda password: str(
        uuid.UUID(bytes=hashlib.sha256(f"a:{password}".encode()).digest()[:16], version=4)
    ),
    "of a digest": lambda password: hashlib.sha256(
        b"b" + hashlib.sha256(f"a:{password}".encode()).digest()
    ).hexdigest(),
    "of a page": lambda password: hashlib.sha1(f"<p>{password}</p>".encode() * 50).hexdigest(),
}


def _placed(password: str, *cuts: int) -> str:
    """Return where a store of content keeps it."""
    name = hashlib.sha1(f"a:{password}".encode()).hexdigest()
    return "/".join(name[a:b] for a, b in zip((0, *cuts), (*cuts, None), strict=True))


def _fed(password: str) -> Any:
    first = hashlib.sha384(b"one")
    first.update(b"two")
    other = first.copy()
    other.update(password.encode())
    assert first.digest() != other.digest()
    assert (other.name, other.digest_size, other.block_size) == ("sha384", 48, 128)
    return other


@pytest.mark.skipif(native.IMPLEMENTATION != "c", reason="the fallback records no digests")
@pytest.mark.parametrize("name", DIGESTS)
def test_digests(recordings: Path, tmp_path: Path, name: str) -> None:
    """A digest of more than the secret itself; it is not in the recording."""
    digest = DIGESTS[name]
    result = replayed(recordings, tmp_path / "a.db", digest)
    assert result.identical, result.summary()
    told = digest(PASSWORD)
    told = told.encode() if isinstance(told, str) else told
    assert isinstance(told, bytes)
    assert told not in raw(recordings)


RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RANDOM_SIGNATURES: dict[str, Callable[[bytes], bytes]] = {
    "PSS": lambda data: RSA_KEY.sign(data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256()),
    "ECDSA": lambda data: EC_KEY.sign(data, ec.ECDSA(SHA256())),
    "OAEP": lambda data: RSA_KEY.public_key().encrypt(
        data, padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)
    ),
}


@pytest.mark.parametrize("name", RANDOM_SIGNATURES)
def test_of_what_is_masked_with_random_parts(recordings: Path, tmp_path: Path, name: str) -> None:
    """The next such call is the one, whatever it is of: on replay it is of pseudonyms."""
    sign = RANDOM_SIGNATURES[name]
    result = replayed(
        recordings, tmp_path / "a.db", lambda password: sign(f"a:{password}".encode()).hex()
    )
    assert result.identical, result.summary()


def test_what_is_hashed_with_no_secret_is_not_kept(recordings: Path, tmp_path: Path) -> None:
    """It may be a key of the application's, and its digest too."""

    def signed(_: str) -> object:
        return len(hashlib.sha256(b"salt" + KEY[0]).digest())

    result = replayed(recordings, tmp_path / "a.db", signed)
    assert result.identical, result.summary()
    assert KEY[0] not in raw(recordings)
    assert sha256(b"salt" + KEY[0]).digest() not in raw(recordings)


def test_what_is_large_is_not_kept(recordings: Path, tmp_path: Path) -> None:
    """Neither in memory nor in the recording, be it fed at once or in pieces."""

    def signed(password: str) -> object:
        whole = hashlib.sha256(password.encode() * 10_000)
        pieces = hashlib.sha256()
        for _ in range(10):
            pieces.update(password.encode() * 1_000)
        assert not getattr(pieces, "_fed", [])
        return whole.digest() == pieces.digest()

    result = replayed(recordings, tmp_path / "a.db", signed)
    assert result.identical, result.summary()
    kinds = [event.kind for _, event in only_recording(recordings).timeline()]
    assert "free.hashlib.digest" not in kinds


def test_another_digest_diverges(recordings: Path, tmp_path: Path) -> None:
    """What was not hashed when it was recorded has no recorded digest."""

    def signed(password: str) -> object:
        return hashlib.sha256(password.encode() + KEY[0]).hexdigest()

    result = replayed(recordings, tmp_path / "a.db", signed)
    assert not result.identical


def test_outside_of_a_request_it_is_the_plain_one() -> None:
    """Nothing is kept of what nobody records."""
    assert type(hmac.new(b"k", b"m", "sha256")) is hmac.HMAC


def test_hmac_finds_the_constructors_of_hashes() -> None:
    """It looks them up in a dictionary; where they are not in it, it is slow."""
    native.install_clock_hooks()
    try:
        hooked: Any = hmac.new(b"k", b"m", sha256)
    finally:
        native.remove_clock_hooks()
    plain: Any = hmac.new(b"k", b"m", sha256)
    assert hooked._hmac is not None
    assert plain._hmac is not None


def test_what_a_signed_cookie_holds(recordings: Path) -> None:
    """A message for the next page, say; masked, it can't be read."""
    signer = itsdangerous.URLSafeSerializer("key", "messages")
    app = flask.Flask("shop")

    @app.get("/")
    def view() -> Any:
        messages = signer.loads(flask.request.cookies["messages"])
        return f"{len(messages)} messages: {messages[0]['text']}"

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    client = app.test_client()
    cookie = str(signer.dumps([{"text": "one row affected", "kind": 1}]))
    client.set_cookie("messages", cookie)
    assert client.get("/").text == "1 messages: one row affected"
    only_recording(recordings)
    assert cookie.encode() not in raw(recordings)
    (path,) = files(recordings)
    result = replay(path, app)
    assert result.identical, result.summary()


def test_json_that_is_signed_as_it_is(recordings: Path) -> None:
    """devpi's tokens: in a body with escapes, and as the password of a Basic authorization."""
    signer = itsdangerous.TimedSerializer("key")
    app = flask.Flask("packages")

    @app.post("/login")
    def login() -> Any:
        return flask.jsonify(password=signer.dumps([flask.request.form["user"], [], True]))

    @app.get("/")
    def view() -> Any:
        assert flask.request.authorization is not None
        user, groups, valid = signer.loads(str(flask.request.authorization.password))
        return f"{user} {len(groups)} {valid}"

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    client = app.test_client()
    token = client.post("/login", data={"user": "ann"}, buffered=True).json["password"]
    signature = token.rpartition(".")[2].encode()
    said = client.get("/", auth=("ann", token), buffered=True).text
    assert said == "ann 0 True"
    assert writer.flush()
    assert signature not in raw(recordings)
    assert base64.b64encode(f"ann:{token}".encode()) not in raw(recordings)
    signer = itsdangerous.TimedSerializer("another key")
    for path in files(recordings):
        result = replay(path, app)
        assert result.identical, result.summary()


@pytest.mark.parametrize("word", ["nope", "guess12", "letmein"])
def test_a_word_that_was_tried_as_a_token(recordings: Path, word: str) -> None:
    """What is short is masked as a value of its own only, which it is where it was hashed."""
    app = flask.Flask("shop")

    @app.get("/")
    def view() -> Any:
        token = flask.request.headers["Authorization"].removeprefix("Bearer ")
        return {"looked_up": sha256(token.encode()).hexdigest()}

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    sent = {"Authorization": f"Bearer {word}"}
    app.test_client().get("/", headers=sent, buffered=True)
    only_recording(recordings)
    assert sha256(word.encode()).hexdigest().encode() not in raw(recordings)
    (path,) = files(recordings)
    result = replay(path, app)
    assert result.identical, result.summary()


@pytest.mark.skipif(native.IMPLEMENTATION != "c", reason="the fallback records no digests")
def test_the_first_digits_of_a_digest_on_a_page(recordings: Path, tmp_path: Path) -> None:
    """As pages about repositories call a commit."""

    def page(password: str) -> object:
        name = hashlib.sha1(f"a:{password}".encode()).hexdigest()
        return f'<a href="/commit/{name}/">{name[:7]}</a>'

    result = replayed(recordings, tmp_path / "a.db", page)

    assert result.identical, result.summary()
    name = hashlib.sha1(f"a:{PASSWORD}".encode()).hexdigest()
    assert name[:7].encode() not in raw(recordings)
