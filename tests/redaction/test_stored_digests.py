"""Passwords as LDAP writes them down: what is masked at start-up is what a request reckons."""

from __future__ import annotations

import base64
import hashlib

import pytest

from retrace_core.codec import encode
from retrace_core.redaction.known_secrets import KnownSecrets
from retrace_core.redaction.names import Names
from retrace_core.redaction.pseudonyms import Pseudonyms
from retrace_core.redaction.redactor import Redactor
from retrace_core.redaction.replacements import Forms
from retrace_core.redaction.replacing import Region
from tests.redaction.test_finding import masked

PASSWORD = b"A-good-password-7"


def redacted(redactor: Redactor, value: object, *, boot: bool) -> bytes:
    data = encode(value)
    return redactor.redact(data, [Region(0, len(data))], (), boot=boot).data


@pytest.mark.parametrize("method", ["md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize("write", [bytes.hex, lambda raw: base64.b64encode(raw).decode()])
def test_a_stored_digest_is_masked_as_the_same_is_in_a_request(method: str, write: object) -> None:
    digest = hashlib.new(method, PASSWORD).digest()
    text = write(digest)  # type: ignore[operator]
    scheme = {"sha1": "SHA"}.get(method, method.upper())
    names = Names()
    redactor = Redactor(names, Forms(Pseudonyms(b"k" * 32), names), known_secrets=KnownSecrets())

    stored = redacted(redactor, f"admin:{{{scheme}}}{text}\n".encode(), boot=True)
    # Where the password is known, its digest would be masked as that of its pseudonym.
    said = {"password": PASSWORD, "digest": digest, "text": text}
    reckoned = redacted(redactor, said, boot=False)

    assert text.encode() not in stored
    assert digest not in reckoned
    now = stored[stored.index(b"}") + 1 :].strip()
    assert now in reckoned
    assert len(now) == len(text)


def test_a_salted_one_is_masked_as_a_text() -> None:
    whole = base64.b64encode(hashlib.sha1(PASSWORD + b"salt-77").digest() + b"salt-77").decode()
    assert whole.encode() not in masked(f"ann:{{SSHA}}{whole}")


def test_what_only_looks_like_a_scheme_is_left() -> None:
    value = "{SHA}x {MD5} {sha} see the manual of {SHA256} and others"
    assert masked(value) == encode(value)
