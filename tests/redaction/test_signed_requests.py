"""Of a signed request the key and the signature are masked, and not what it says besides."""

from __future__ import annotations

import pytest

from tests.redaction.test_finding import masked

KEY = "AKIAIOSFODNN7EXAMPLE"
SIGNATURE = "fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024"
SIGNED = {
    "AWS, in a header": (
        [
            (
                "authorization",
                f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/eu-west-1/s3/aws4_request,"
                f" SignedHeaders=content-length;content-type;host, Signature={SIGNATURE}",
            )
        ],
        (KEY, SIGNATURE),
        ("/20260101/eu-west-1/s3/aws4_request", "=content-length;content-type;host"),
    ),
    "AWS, in a query": (
        f"X-Amz-Credential={KEY}%2F20260101%2Feu-west-1%2Fs3%2Faws4_request"
        f"&X-Amz-Signature={SIGNATURE}".encode(),
        (KEY, SIGNATURE),
        ("%2F20260101%2Feu-west-1%2Fs3%2Faws4_request",),
    ),
    "AWS, in JSON": (
        {"x-amz-credential": f"{KEY}/20260101/us-gov-west-1/execute-api/aws4_request"},
        (KEY,),
        ("/20260101/us-gov-west-1/execute-api/aws4_request",),
    ),
    "Digest": (
        [
            (
                "authorization",
                'Digest username="ada.of.lovelace", realm="the-library-of-ada", uri="/books/of/ada"'
                f', nonce="{SIGNATURE[:32]}", response="{SIGNATURE[32:]}", algorithm=MD5',
            )
        ],
        (SIGNATURE[:32], SIGNATURE[32:]),
        ("ada.of.lovelace", "the-library-of-ada", "/books/of/ada"),
    ),
    "OAuth 1": (
        [
            (
                "authorization",
                f'OAuth oauth_consumer_key="{SIGNATURE[:20]}", oauth_timestamp="1767225600123456",'
                f' oauth_signature_method="HMAC-SHA256-EXTRA", oauth_signature="{SIGNATURE[20:]}"',
            )
        ],
        (SIGNATURE[:20], SIGNATURE[20:]),
        ("1767225600123456", "HMAC-SHA256-EXTRA"),
    ),
}


@pytest.mark.parametrize("name", SIGNED)
def test_what_signs_is_masked(name: str) -> None:
    value, secrets, _ = SIGNED[name]
    data = masked(value)
    assert not [secret for secret in secrets if secret.encode() in data]


@pytest.mark.parametrize("name", SIGNED)
def test_what_is_signed_is_left(name: str) -> None:
    value, _, kept = SIGNED[name]
    data = masked(value)
    assert [text for text in kept if text.encode() not in data] == []
