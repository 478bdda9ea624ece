"""What native code draws past `os.urandom` comes back: salts, ids, signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bcrypt
import fastuuid
import uuid_utils
import uuid_utils.compat
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import (
    ec,
    ed448,
    ed25519,
    padding,
    rsa,
    x448,
    x25519,
)

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

ON_A_CURVE = ec.generate_private_key(ec.SECP256R1())
WITH_PRIMES = rsa.generate_private_key(65537, 2048)


def test_a_password_is_hashed_with_the_recorded_salt(recordings: Path) -> None:
    """And one that is checked needs no salt."""

    def view() -> str:
        hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(rounds=4))
        return f"{hashed!r} {bcrypt.checkpw(b'secret', hashed)}"

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


def test_ids_are_the_recorded_ones(recordings: Path) -> None:
    """Of their own class, or of the standard library's."""

    def view() -> str:
        own = [uuid_utils.uuid1(), uuid_utils.uuid4(), uuid_utils.uuid6(), uuid_utils.uuid7()]
        made = [*own, uuid_utils.compat.uuid4(), uuid_utils.compat.uuid7()]
        return repr([(type(one).__module__, str(one), one.hex, one.version) for one in made])

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


def test_ids_of_fastuuid_are_the_recorded_ones(recordings: Path) -> None:
    """One by one, and many at once."""

    def view() -> str:
        made = [fastuuid.uuid1(), fastuuid.uuid_v1mc(), fastuuid.uuid4(), fastuuid.uuid7()]
        many = [*fastuuid.uuid4_bulk(2), *fastuuid.uuid7_bulk(2)]
        texts = [*fastuuid.uuid4_as_strings_bulk(2), *fastuuid.uuid7_as_strings_bulk(2)]
        return repr([[type(one).__module__, str(one)] for one in (*made, *many, *texts)])

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


def test_signatures_are_the_recorded_ones(recordings: Path) -> None:
    """ECDSA and PSS sign otherwise each time, and OAEP encrypts otherwise."""
    sha256 = hashes.SHA256()
    pss = padding.PSS(padding.MGF1(sha256), padding.PSS.MAX_LENGTH)
    oaep = padding.OAEP(padding.MGF1(sha256), sha256, None)

    def view() -> str:
        made = [
            ON_A_CURVE.sign(b"order 7", ec.ECDSA(sha256)),
            WITH_PRIMES.sign(b"order 7", pss, sha256),
            WITH_PRIMES.public_key().encrypt(b"order 7", oaep),
        ]
        ON_A_CURVE.public_key().verify(made[0], b"order 7", ec.ECDSA(sha256))
        return " ".join(one.hex() for one in made)

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


def test_keys_are_the_recorded_ones(recordings: Path) -> None:
    """A private key that a request makes is what it stores and signs with."""

    def view() -> str:
        made = [
            rsa.generate_private_key(65537, 2048),
            ec.generate_private_key(ec.SECP256R1()),
            ed25519.Ed25519PrivateKey.generate(),
            ed448.Ed448PrivateKey.generate(),
            x25519.X25519PrivateKey.generate(),
            x448.X448PrivateKey.generate(),
        ]
        pem = serialization.Encoding.PEM
        pkcs8 = serialization.PrivateFormat.PKCS8
        plain = serialization.NoEncryption()
        return "".join(one.private_bytes(pem, pkcs8, plain).decode() for one in made)

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)
