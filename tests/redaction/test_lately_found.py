"""What one request had by name, or as a digest, is masked in those after it as well."""

from __future__ import annotations

import hashlib
import secrets

import pytest

from retrace_core.codec import encode
from retrace_core.crypto.hashing import KIND, ROOM
from retrace_core.redaction.known_secrets import KnownSecrets
from retrace_core.redaction.names import Names
from retrace_core.redaction.pseudonyms import Pseudonyms
from retrace_core.redaction.redactor import Redactor
from retrace_core.redaction.replacements import Forms
from retrace_core.redaction.replacing import Region

KEY = "8b02e75027e14c83faebee2196ae55d0"
LETTER = b"From: ann@example.com"
NAME = hashlib.sha1(LETTER).hexdigest()


@pytest.fixture
def redactor() -> Redactor:
    names = Names()
    return Redactor(names, Forms(Pseudonyms(b"k" * 32), names), known_secrets=KnownSecrets())


def redacted(redactor: Redactor, *values: object) -> bytes:
    data = b"".join(map(encode, values))
    return redactor.redact(data, [Region(0, len(data), lane=True)], ()).data


def hash_a_letter(redactor: Redactor) -> None:
    """Record a request that hashes something with an address in it."""
    hashed = [1, KIND, 0, ["sha1", LETTER.ljust(ROOM, b"\0")], bytes.fromhex(NAME), 5, 5]
    redacted(redactor, hashed)


@pytest.mark.parametrize("key", [KEY, "00000000-0000-4000-8000-000000000007"])
def test_a_session_that_was_named_is_masked_where_it_stands_unnamed(
    redactor: Redactor, key: str
) -> None:
    named = redacted(redactor, {"session_id": key})
    said = redacted(redactor, f"42/chat,{key}")
    assert key.encode() not in said
    assert said[-len(key) :] in named


@pytest.mark.parametrize(
    "written",
    [
        NAME,
        NAME[:7],
        f"objects/{NAME[:2]}/{NAME[2:]}",
        bytes.fromhex(NAME),
    ],
    ids=["whole", "shortened", "path", "raw"],
)
def test_a_digest_that_another_request_made(redactor: Redactor, written: str | bytes) -> None:
    hash_a_letter(redactor)
    assert encode(written) != redacted(redactor, written)


def test_the_digest_of_an_address_is_that_of_its_pseudonym_in_all_requests(
    redactor: Redactor,
) -> None:
    """As in the request that has the address, so that both name the same folder."""
    address = b"ann@example.com"
    digest = hashlib.md5(address).digest()
    hashed = [1, KIND, 0, ["md5", address.ljust(ROOM, b"\0")], digest, 5, 5]
    first = redacted(redactor, hashed, f"/avatars/{digest.hex()}.png")
    assert first.endswith(redacted(redactor, f"/avatars/{digest.hex()}.png"))


@pytest.mark.parametrize("value", ["correct-horse-battery", "00000000-0000-0000-0000-000000000000"])
def test_what_may_stand_in_a_page_by_chance_is_left(redactor: Redactor, value: str) -> None:
    redacted(redactor, {"access_token": value})
    assert value.encode() in redacted(redactor, f"<p>{value}</p>")


def test_those_not_met_for_long_are_forgotten(redactor: Redactor) -> None:
    """What is looked for in each recording is few, however many secrets there were."""
    redacted(redactor, {"session_id": KEY})
    for _ in range(300):
        redacted(redactor, {"session_id": secrets.token_hex()})
    assert KEY.encode() in redacted(redactor, f"42/chat,{KEY}")
