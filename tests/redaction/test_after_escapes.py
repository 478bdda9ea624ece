"""In JSON a secret may follow an escape at once: the escape's letter is no part of the secret."""

from __future__ import annotations

import json

import pytest

from retrace_core.codec import decode
from tests.redaction.test_finding import masked

ADDRESS = "ann@example.com"
SECRETS = {
    "address": ADDRESS,
    "key": "AKIAIOSFODNN7EXAMPLE",
    "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
}


@pytest.mark.parametrize("before", ["\n", "\t", "<", "é"], ids=["line", "tab", "less than", "é"])
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_document_can_be_read_when_its_secret_is_masked(before: str, secret: str) -> None:
    document = json.dumps({"said": f"Ann {before}{secret}"}).replace("<", "\\u003c")
    said = json.loads(decode(masked(document)))["said"]
    assert said[:5] == f"Ann {before}"
    assert len(said) == 5 + len(secret)
    assert secret not in said


def test_an_address_is_the_same_after_an_escape_and_by_itself() -> None:
    first, second = json.loads(decode(masked(json.dumps([f"\n{ADDRESS}", ADDRESS]))))
    assert first == f"\n{second}"


def test_what_has_but_a_letter_after_a_backslash_is_an_address() -> None:
    assert b"n@example.com" not in masked(r"\n@example.com")
