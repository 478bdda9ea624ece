"""Secrets in what a program has serialised: what follows them at once is left as it is."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import msgspec
import pytest

from retrace_core.codec import decode
from tests.redaction.test_finding import masked

if TYPE_CHECKING:
    from collections.abc import Callable

DIGEST = "5a8H+5GHFVZez6UnD97EBIG8me91qqVchSP/zrAMzok"
HASH = f"$argon2id$v=19$m=65536,t=3,p=4$lJLSujdGiFHKec85p/Q+Jw${DIGEST}"
ADDRESS = "ann@shop.example"
WAYS: dict[str, Callable[[str], bytes]] = {
    "a-count-of-four-bytes": lambda text: (
        b"N" + len(text).to_bytes(4, "big") + text.encode() + b"PN"
    ),
    "a-count-of-two-bytes": lambda text: len(text).to_bytes(2, "big") + text.encode() + b"PN",
    "little-end-first": lambda text: b"X" + len(text).to_bytes(4, "little") + text.encode() + b"q",
    "pickle-2": lambda text: pickle.dumps([text, text], protocol=2),
    "pickle-4": lambda text: pickle.dumps(text, protocol=4),
    "messagepack": lambda text: msgspec.msgpack.encode([text, 0x50, 0x4E]),
}


@pytest.mark.parametrize("secret", [HASH, ADDRESS], ids=["hash", "address"])
@pytest.mark.parametrize("way", WAYS)
def test_what_follows_a_secret_is_left(way: str, secret: str) -> None:
    made = WAYS[way](secret)

    now = decode(masked(made))

    assert isinstance(now, bytes)
    begin = made.index(secret.encode())
    end = made.rindex(secret.encode()) + len(secret)
    assert (now[:begin], now[end:]) == (made[:begin], made[end:])
    assert DIGEST.encode() not in now
    assert ADDRESS.encode() not in now


def test_a_secret_after_other_bytes_is_masked_to_its_end() -> None:
    """A byte that counts nothing: the secret is longer, or nothing says that it is a count."""
    for before in (b"\0\0\0\xff", b"password=", b"\n", b"\0\0\0\0"):
        assert DIGEST[-4:].encode() not in masked(before + HASH.encode())


def test_a_hash_in_a_file_of_settings_keeps_how_it_was_made() -> None:
    """Without quotes, too: the commas between its costs end no value."""
    now = decode(masked(b"ann:\n  password: " + HASH.encode() + b"\n  active: true\n"))

    assert isinstance(now, bytes)
    head = HASH[: -len(DIGEST)]
    assert f"password: {head}".encode() in now
    assert now.endswith(b"\n  active: true\n")
    assert DIGEST.encode() not in now
