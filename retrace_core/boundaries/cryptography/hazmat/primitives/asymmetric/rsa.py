"""cryptography's RSA: padding has a random part, drawn in native code.

What is signed or encrypted is not kept, but a digest of it. A private key that a request
makes is not recorded: it would be a secret in the recording.

Hooks: `RSAPrivateKey.sign` and `RSAPublicKey.encrypt` of the native module. Read in
cryptography 50.
"""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.bindings._rust import openssl

from retrace_core.boundary import Boundary, Hook


def _signed(self: Any, data: Any, padding: Any, algorithm: Any) -> object:
    return [hashlib.sha256(data).digest(), type(padding).__name__]


def _encrypted(self: Any, plaintext: Any, padding: Any) -> object:
    return [hashlib.sha256(plaintext).digest(), type(padding).__name__]


BOUNDARY = Boundary(
    kind="cryptography.rsa",
    supports="cryptography>=42",
    hooks=(
        Hook(owner=openssl.rsa.RSAPrivateKey, name="sign", key=_signed),
        Hook(owner=openssl.rsa.RSAPublicKey, name="encrypt", key=_encrypted),
    ),
)
