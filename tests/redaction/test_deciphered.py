"""What somebody else had encrypted: the recording has it masked, and another key is enough."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import flask
import msgpack
import pytest
from cryptography.fernet import Fernet

from retrace_core import load, replay, writer
from retrace_core.crypto.deciphered import kept, made_up
from retrace_mw import RetraceMiddleware
from tests.redaction.raw import files, raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NUMBER = bytes.fromhex("6ca13d52ca70c8d3e0f0bb101e425a89")
OWNER = bytes.fromhex("6ca13d52ca7048d3a0f0bb101e425a89")
DOCUMENT = {"key": "AKzz-1704-Treasure", "host": "https://oak.example:9000/x", "roles": ["member"]}
READ: dict[str, tuple[bytes, str, Callable[[bytes], Any]]] = {
    "json": (json.dumps(DOCUMENT).encode(), "AKzz-1704-Treasure", lambda text: json.loads(text)),
    "messagepack": (
        msgpack.packb([0, [True, NUMBER], 1796050547.5]),
        NUMBER.hex(),
        lambda data: msgpack.unpackb(data)[1][1].hex(),
    ),
    "a long text": (
        b"-----BEGIN MAP-----\n" + b"Seven steps East of the Oak, 1704\n" * 9,
        "Seven steps East",
        lambda text: len(text.decode().splitlines()),
    ),
    "a sentence": (b"the treasure lies below the oak", "treasure lies", lambda text: text.decode()),
}


@pytest.mark.parametrize("way", READ)
def test_a_token_of_another_process_is_read_again(recordings: Path, way: str) -> None:
    """Its key is in no recording; code reads parts of what was in it, which are masked."""
    plain, said, read = READ[way]
    keys = [Fernet.generate_key()]
    token = Fernet(keys[0]).encrypt(plain)
    app = flask.Flask("shop")
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]

    @app.get("/")
    def view() -> Any:
        return {"read": read(Fernet(keys[0]).decrypt(token))}

    assert app.test_client().get("/").status_code == 200
    assert writer.flush(10)
    assert said.encode() not in raw(recordings)
    (recording,) = map(load, files(recordings))
    keys[0] = Fernet.generate_key()
    result = replay(recording, app)
    assert result.identical, result.summary()


@pytest.mark.parametrize(
    "plain", [bytes(range(0x93, 0xB3)), b"\x93\x01\x02\x03", b"\xff" * 32, b"treasure"]
)
def test_of_bytes_that_may_be_a_key_and_of_a_plain_word_the_size_is_kept(plain: bytes) -> None:
    """A replay whose key can't read it goes on with something made up."""
    recorded = kept(plain)

    assert plain not in str(recorded).encode()
    made = made_up(recorded, b"token")
    assert made is not None
    assert len(made) == len(plain)
    assert made.isalpha() == plain.isalpha()
    assert made == made_up(recorded, b"token") != made_up(recorded, b"another")


@pytest.mark.parametrize(
    "plain", [msgpack.packb([OWNER]), json.dumps({"of": OWNER.hex()}).encode()]
)
def test_an_id_is_what_it_is_for_requests_that_have_it_in_the_clear(plain: bytes) -> None:
    recorded: Any = kept(plain)

    assert recorded == {"content": plain, "secrets": []}
