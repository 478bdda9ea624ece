"""What is encrypted under a masked key comes out of a replay, by whichever cipher it is."""

from __future__ import annotations

import functools
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import flask
import pytest
from Crypto.Cipher import AES
from Crypto.Util.Padding import pad, unpad
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap, padding
from cryptography.hazmat.primitives.asymmetric import padding as of_rsa
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, aead, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from nacl import pwhash
from nacl.public import PrivateKey, SealedBox
from nacl.secret import SecretBox

from retrace_core import load, replay, writer
from retrace_core.crypto import ciphering
from retrace_mw import RetraceMiddleware
from tests.redaction.raw import files, raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retrace_core import Recording

    Way = tuple[Callable[[bytes, bytes], bytes], Callable[[bytes, bytes], bytes]]

SAID = "Treasure of 1704, below the oak"
KEY, OTHER_KEY = bytes(32), bytes([1] * 32)


def _aead(kind: Any, nonce_size: int = 12) -> Way:
    def encrypt(key: bytes, plain: bytes) -> bytes:
        nonce = os.urandom(nonce_size)
        return nonce + bytes(kind(key).encrypt(nonce, plain, b"more"))

    def decrypt(key: bytes, made: bytes) -> bytes:
        with pytest.raises(InvalidTag):
            kind(key).decrypt(made[:nonce_size], made[nonce_size:], b"less")
        return bytes(kind(key).decrypt(made[:nonce_size], made[nonce_size:], b"more"))

    return encrypt, decrypt


def _cbc_encrypt(key: bytes, plain: bytes) -> bytes:
    iv = os.urandom(16)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    padded = padder.update(plain) + padder.finalize()
    return iv + encryptor.update(padded[:16]) + encryptor.update(padded[16:]) + encryptor.finalize()


def _cbc_decrypt(key: bytes, made: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(made[:16])).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    plain = decryptor.update(made[16:]) + decryptor.finalize()
    return unpadder.update(plain) + unpadder.finalize()


def _gcm_encrypt(key: bytes, plain: bytes) -> bytes:
    iv = os.urandom(12)
    encryptor = Cipher(algorithms.AES(key), modes.GCM(iv)).encryptor()
    encryptor.authenticate_additional_data(b"more")
    made = encryptor.update(plain) + encryptor.finalize()
    return iv + encryptor.tag + made


def _gcm_decrypt(key: bytes, made: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.GCM(made[:12], made[12:28])).decryptor()
    decryptor.authenticate_additional_data(b"more")
    return decryptor.update(made[28:]) + decryptor.finalize()


@functools.cache
def _rsa_key(key: bytes) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024 + key[0])


_OAEP = of_rsa.OAEP(of_rsa.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def _rsa_encrypt(key: bytes, plain: bytes) -> bytes:
    return _rsa_key(key).public_key().encrypt(plain, _OAEP)


def _rsa_decrypt(key: bytes, made: bytes) -> bytes:
    return _rsa_key(key).decrypt(made, _OAEP)


def _box_encrypt(key: bytes, plain: bytes) -> bytes:
    return bytes(SecretBox(key).encrypt(plain))


def _box_decrypt(key: bytes, made: bytes) -> bytes:
    return SecretBox(key).decrypt(made)


def _seal(key: bytes, plain: bytes) -> bytes:
    return SealedBox(PrivateKey(key).public_key).encrypt(plain)


def _unseal(key: bytes, made: bytes) -> bytes:
    return SealedBox(PrivateKey(key)).decrypt(made)


def _eax_encrypt(key: bytes, plain: bytes) -> bytes:
    cipher = AES.new(key, AES.MODE_EAX, nonce=os.urandom(16))
    made, tag = cipher.encrypt_and_digest(plain)
    return bytes(cipher.nonce + tag + made)


def _eax_decrypt(key: bytes, made: bytes) -> bytes:
    cipher = AES.new(key, AES.MODE_EAX, nonce=made[:16])
    return bytes(cipher.decrypt_and_verify(made[32:], made[16:32]))


def _pad_encrypt(key: bytes, plain: bytes) -> bytes:
    iv = os.urandom(16)
    return iv + bytes(AES.new(key, AES.MODE_CBC, iv).encrypt(pad(plain, 16)))


def _pad_decrypt(key: bytes, made: bytes) -> bytes:
    return bytes(unpad(AES.new(key, AES.MODE_CBC, made[:16]).decrypt(made[16:]), 16))


WAYS: dict[str, Way] = {
    "AES-GCM": _aead(aead.AESGCM),
    "ChaCha20-Poly1305": _aead(aead.ChaCha20Poly1305),
    "AES-CBC": (_cbc_encrypt, _cbc_decrypt),
    "bare AES-GCM": (_gcm_encrypt, _gcm_decrypt),
    "RSA": (_rsa_encrypt, _rsa_decrypt),
    "PyNaCl's box": (_box_encrypt, _box_decrypt),
    "PyNaCl's sealed box": (_seal, _unseal),
    "PyCryptodome's EAX": (_eax_encrypt, _eax_decrypt),
    "PyCryptodome's CBC": (_pad_encrypt, _pad_decrypt),
    "key wrap": (
        lambda key, plain: keywrap.aes_key_wrap_with_padding(key, plain),
        lambda key, made: keywrap.aes_key_unwrap_with_padding(key, made),
    ),
}
of_each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def make_app(database: Path, key: bytes, way: Way) -> flask.Flask:
    """Return an application that keeps what it is told encrypted, in a database."""
    app = flask.Flask("shop")
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    encrypt, decrypt = way
    if way is WAYS["RSA"]:
        _rsa_key(key)  # it is made before any request

    @app.post("/keep")
    def keep() -> str:
        # The same for each replay, and no text of the request: that is in its recording.
        made = encrypt(key, SAID.encode())
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("INSERT INTO kept VALUES (?)", (made,))
        return "kept"

    @app.get("/read")
    def read() -> Any:
        with closing(sqlite3.connect(database)) as connection:
            (made,) = connection.execute("SELECT content FROM kept").fetchone()
        found = decrypt(key, made).decode()
        return {"found": found if "show" in flask.request.args else len(found)}

    return app


def record(folder: Path, database: Path, way: Way, read: str) -> list[Recording]:
    """Record one request that encrypts, and one that decrypts."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE kept (content)")
    client = make_app(database, KEY, way).test_client()
    assert client.post("/keep").text == "kept"
    asked = client.get(read, buffered=True)
    assert asked.json == {"found": SAID if "show" in read else len(SAID)}
    assert writer.flush(10)
    assert SAID.encode() not in raw(folder)
    database.unlink()
    return sorted(map(load, files(folder)), key=lambda one: one.header.started_ns)


@of_each_way
def test_another_key_encrypts_and_decrypts(recordings: Path, tmp_path: Path, way: Way) -> None:
    """What is stored is what was recorded, and the replay knows what it had put there."""
    keeping, asking = record(recordings, tmp_path / "a.db", way, "/read")
    app = make_app(tmp_path / "a.db", OTHER_KEY, way)
    result = replay(asking, app, before=[keeping])
    assert result.identical, result.summary()


@of_each_way
def test_what_others_encrypted_is_masked(recordings: Path, tmp_path: Path, way: Way) -> None:
    """Without the request that encrypted it, what stands for it comes out."""
    _, asking = record(recordings, tmp_path / "a.db", way, "/read?show=1")
    ciphering._contents.clear()
    result = replay(asking, make_app(tmp_path / "a.db", OTHER_KEY, way))
    assert result.identical, result.summary()


@pytest.mark.parametrize("said", ["short", "plain words", "<b>Captain Kidd, 1701</b>", ""])
def test_what_cannot_be_masked_is_not_recorded(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """Of that it is kept that it could be decrypted, and its size."""
    cipher, nonce = aead.AESGCM(os.urandom(32)), os.urandom(12)
    made = cipher.encrypt(nonce, said.encode(), None)
    app = flask.Flask("shop")
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]

    @app.get("/")
    def view() -> str:
        assert cipher.decrypt(nonce, made, None) == said.encode()
        return "read"

    assert app.test_client().get("/").text == "read"
    assert writer.flush(10)
    (recording,) = map(load, files(recordings))
    events = [event for lane in recording.lanes for event in lane.events]
    (event,) = [one for one in events if one.kind == "free.cryptography.decrypt"]
    assert event.value == b"" if not said else event.value["size"] == len(said)
    assert replay(recording, app).identical


@pytest.mark.parametrize("said", ["", "{}", "null", "None************", "[]" + "\x0e" * 14])
def test_an_encrypted_column_that_holds_nothing_holds_nothing_again(
    recordings: Path, said: str
) -> None:
    """That is no secret: another key finds it, too."""
    nonce, keys = os.urandom(12), [os.urandom(32), os.urandom(32)]
    made = aead.AESGCM(keys[0]).encrypt(nonce, said.encode(), None)
    app = flask.Flask("shop")
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]

    @app.get("/")
    def view() -> str:
        return repr(aead.AESGCM(keys[0]).decrypt(nonce, made, None))

    assert app.test_client().get("/").text == repr(said.encode())
    assert writer.flush(10)
    (recording,) = map(load, files(recordings))
    del keys[0]
    result = replay(recording, app)
    assert result.identical, result.summary()


@of_each_way
def test_nothing_is_recorded_where_nothing_is_masked(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    """The key is the true one there, and reckons it all again."""
    monkeypatch.setenv("RETRACE_REDACT", "0")
    database = tmp_path / "a.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE kept (content)")
    client = make_app(database, KEY, way).test_client()
    client.post("/keep")
    client.get("/read")
    assert writer.flush(10)
    drawn = {"RSA", "PyNaCl's sealed box"}  # it is drawn in native code
    for recording in [] if way in map(WAYS.get, drawn) else map(load, files(recordings)):
        kinds = {event.kind for lane in recording.lanes for event in lane.events}
        assert not [kind for kind in kinds if kind.startswith("free.cryptography.")]


DERIVED: dict[str, Callable[[], Any]] = {
    "PBKDF2": lambda: PBKDF2HMAC(hashes.SHA256(), 16, b"salt", 10),
    "Scrypt": lambda: Scrypt(b"salt", 16, 2, 1, 1),
    "HKDF": lambda: HKDF(hashes.SHA256(), 16, b"salt", None),
}


@pytest.mark.parametrize("derive", DERIVED.values(), ids=DERIVED)
def test_what_is_derived_of_a_masked_password(recordings: Path, derive: Callable[[], Any]) -> None:
    """It is compared with what is known, and is right again."""
    password = "correct horse battery"
    known = derive().derive(password.encode())
    app = flask.Flask("shop")
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]

    @app.post("/")
    def view() -> str:
        given = flask.request.form["password"].encode()
        derive().verify(given, known)
        return f"right, again {derive().derive(given) == derive().derive(given)}"

    said = app.test_client().post("/", data={"password": password}, buffered=True)
    assert said.text == "right, again True"
    assert writer.flush(10)
    assert password.encode() not in raw(recordings)
    (path,) = files(recordings)
    result = replay(path, app)
    assert result.identical, result.summary()


def test_a_password_that_nacl_hashes(recordings: Path) -> None:
    """The salt is drawn in native code; the hash comes back, and is right."""
    password = "correct horse battery"
    app = flask.Flask("shop")
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]

    @app.post("/")
    def view() -> str:
        given = flask.request.form["password"].encode()
        hashed = pwhash.argon2id.str(given, opslimit=1, memlimit=8192)
        return f"{hashed.decode()} {pwhash.verify(hashed, given)}"

    client = app.test_client()
    assert client.post("/", data={"password": password}, buffered=True).text.endswith(" True")
    assert writer.flush(10)
    (path,) = files(recordings)
    result = replay(path, app)
    assert result.identical, result.summary()
