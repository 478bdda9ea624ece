"""cryptography's RSA: keys and padding have random parts, drawn in native code.

What is signed or encrypted is not kept, but a checksum of it. Whether a signature is right comes
from the recording: it may be masked.

Hooks: `generate_private_key`, `RSAPrivateKey.sign`, `RSAPublicKey.encrypt` and `.verify` of the
native module. Read in cryptography 45 and 50.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.bindings._rust import openssl

from retrace_core.boundary import Boundary, Hook
from retrace_core.checking import checks, of_size
from retrace_core.checksum import checksum_of
from retrace_core.made_key import key_from_bytes, key_to_bytes


def _made(public_exponent: int, key_size: int) -> object:
    return [public_exponent, key_size]


def _signed(self: Any, data: Any, padding: Any, algorithm: Any) -> object:
    return [checksum_of(data), type(padding).__name__]


def _encrypted(self: Any, plaintext: Any, padding: Any) -> object:
    return [checksum_of(plaintext), type(padding).__name__]


def _verified(self: Any, signature: Any, data: Any, *_: Any) -> object:
    return [bytes(signature), of_size(data)]


BOUNDARY = Boundary(
    kind="cryptography.rsa",
    supports="cryptography>=42",
    hooks=(
        Hook(
            owner=openssl.rsa,
            name="generate_private_key",
            key=_made,
            encode=key_to_bytes,
            decode=key_from_bytes,
        ),
        Hook(owner=openssl.rsa.RSAPrivateKey, name="sign", key=_signed),
        Hook(owner=openssl.rsa.RSAPublicKey, name="encrypt", key=_encrypted),
        checks(openssl.rsa.RSAPublicKey, "verify", "cryptography.rsa.verify", _verified),
    ),
    errors=("cryptography.exceptions",),
)
