"""Private keys that are masked: replays have others, and sign as it was recorded."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import flask
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import base

from retrace_core import replay
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording
from tests.redaction.raw import files, raw
from tests.redaction.test_finding import masked
from tests.replay_report import replays
from tests.serving import get, under_gunicorn

if TYPE_CHECKING:
    from pathlib import Path

KINDS: dict[str, Any] = {
    "rsa 2048": lambda: rsa.generate_private_key(65537, 2048),
    "p-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ed448": ed448.Ed448PrivateKey.generate,
}
FORMATS = {
    "pkcs8": serialization.PrivateFormat.PKCS8,
    "own": serialization.PrivateFormat.TraditionalOpenSSL,
}


def how(key: Any) -> tuple[Any, ...]:
    """Return the arguments by which a key of this kind signs, after what it signs."""
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        return padding.PKCS1v15(), hashes.SHA256()
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return (ec.ECDSA(hashes.SHA256()),)
    return ()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_signs_and_verifies(recordings: Path, kind: str, form: str) -> None:
    """A key comes with the request; what it signs is answered, what another signed is verified."""
    if kind.startswith("ed") and form == "own":
        pytest.skip("there is no such form of it")
    key, other = KINDS[kind](), KINDS[kind]()
    public = other.public_key()
    pem = key.private_bytes(
        serialization.Encoding.PEM, FORMATS[form], serialization.NoEncryption()
    ).decode()
    app = flask.Flask("signer")

    @app.post("/")
    def view() -> Any:
        given = flask.request.get_json()
        loaded: Any = base.load_pem_private_key(given["pem"].encode(), None)
        signed = loaded.sign(b"what is signed", *how(loaded))
        right = []
        for sent in given["signature"], given["pem"]:
            try:
                public.verify(base64.b64decode(sent[:64]), given["user"].encode(), *how(public))
                right.append(True)
            except (InvalidSignature, ValueError):
                right.append(False)
        public.verify(base64.b64decode(given["signature"]), b"ann", *how(public))
        return {"signature": base64.b64encode(signed).decode(), "right": right}

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    given = base64.b64encode(other.sign(b"ann", *how(other))).decode()
    body = {"pem": pem, "signature": given, "user": "ann"}
    answer = app.test_client().post("/", json=body, buffered=True)
    assert answer.json is not None
    assert answer.json["right"] == [False, False]
    only_recording(recordings)
    secret = pem.splitlines()[-3 if kind.startswith("rsa") else 1][-24:]
    assert secret.encode() not in raw(recordings)
    (path,) = files(recordings)
    result = replay(path, app)
    assert result.identical, result.summary()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("ed")])
def test_its_public_half_is_the_same_on_replay(recordings: Path, kind: str, form: str) -> None:
    """It is no secret: a service tells it everybody, and names its key by a digest of it."""
    key = KINDS[kind]()
    pem = key.private_bytes(
        serialization.Encoding.PEM, FORMATS[form], serialization.NoEncryption()
    ).decode()
    app = flask.Flask("issuer")

    @app.post("/")
    def view() -> Any:
        loaded: Any = base.load_pem_private_key(flask.request.get_json()["pem"].encode(), None)
        assert isinstance(loaded, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
        halves = loaded.public_key(), loaded.private_numbers().public_numbers.public_key()
        return [
            half.public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            ).decode()
            for half in halves
        ]

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    app.test_client().post("/", json={"pem": pem}, buffered=True)
    only_recording(recordings)
    (path,) = files(recordings)
    result = replay(path, app)
    assert result.identical, result.summary()


ISSUER = """
from cryptography.hazmat.primitives import serialization

import retrace_mw

with open("key.pem", "rb") as file:
    KEY = serialization.load_pem_private_key(file.read(), None)


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(KEY.public_key().public_numbers().n).encode()]


app = retrace_mw.RetraceMiddleware(application)
"""


def test_so_it_is_of_a_key_that_the_start_up_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else is masked in the request."""
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "issuer.py").write_text(ISSUER)
    pem = KINDS["rsa 2048"]().private_bytes(
        serialization.Encoding.PEM, FORMATS["pkcs8"], serialization.NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(pem)
    with under_gunicorn("issuer:app", tmp_path / "recordings") as base:
        get(base, {"X-Trace-ID": "asked"})
    assert pem.splitlines()[-3] not in raw(tmp_path / "recordings")
    (tmp_path / "key.pem").unlink()
    replays("asked")


@pytest.mark.parametrize("write", [dict, json.dumps])
def test_the_label_of_a_key_stays_where_its_name_says_that_it_is_one(write: Any) -> None:
    """By it and by its size a replay knows which kind of key it was."""
    pem = (
        KINDS["p-256"]()
        .private_bytes(serialization.Encoding.PEM, FORMATS["pkcs8"], serialization.NoEncryption())
        .decode()
    )
    out = masked(write({"private_key": pem}))
    assert out.count(b"-----BEGIN PRIVATE KEY-----") == 1
    assert out.count(b"-----END PRIVATE KEY-----") == 1
    assert pem.split("\n")[1].encode() not in out


VARIABLE = """
import os

from cryptography.hazmat.primitives import serialization

import retrace_mw

KEY = serialization.load_pem_private_key({read}, None)


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(KEY.public_key().public_numbers().n).encode()]


app = retrace_mw.RetraceMiddleware(application)
"""
JOINTS: dict[str, tuple[Any, str]] = {
    "newlines": (lambda pem: pem, "os.environ['SIGNING_KEY'].encode()"),
    "escapes": (
        lambda pem: pem.replace("\n", "\\n"),
        "os.environ['SIGNING_KEY'].replace('\\\\n', chr(10)).encode()",
    ),
    "underscores": (
        lambda pem: pem.replace("\n", "_"),
        "os.environ['SIGNING_KEY'].replace('_', chr(10)).encode()",
    ),
    "base64": (
        lambda pem: base64.b64encode(pem.encode()).decode(),
        "__import__('base64').b64decode(os.environ['SIGNING_KEY'])",
    ),
}


@pytest.mark.parametrize("joint", JOINTS)
def test_so_it_is_of_one_in_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, joint: str
) -> None:
    """Its lines are joined as people do who have one line for it."""
    write, read = JOINTS[joint]
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "signer.py").write_text(VARIABLE.format(read=read))
    pem = KINDS["rsa 2048"]().private_bytes(
        serialization.Encoding.PEM, FORMATS["own"], serialization.NoEncryption()
    )
    monkeypatch.setenv("SIGNING_KEY", write(pem.decode()))
    with under_gunicorn("signer:app", tmp_path / "recordings") as base:
        get(base, {"X-Trace-ID": "asked"})
    monkeypatch.delenv("SIGNING_KEY")
    assert write(pem.decode())[-400:-360].encode() not in raw(tmp_path / "recordings")
    replays("asked")
