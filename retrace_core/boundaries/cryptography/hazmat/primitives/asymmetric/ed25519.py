"""cryptography's Ed25519: a new key is drawn in native code; its use has no random part.

What it signs, and whether a signature is right, comes from the recording: both may be masked.

Hooks: `generate_key` of the native module, `sign` and `verify` of its keys. Read in
cryptography 45 and 50.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.bindings._rust import openssl

from retrace_core.boundary import Boundary, Hook
from retrace_core.checking import checks, of_size
from retrace_core.made_key import key_from_bytes, key_to_bytes


def _signed(self: Any, data: Any) -> object:
    return [of_size(data)]


def _verified(self: Any, signature: Any, data: Any) -> object:
    return [bytes(signature), of_size(data)]


BOUNDARY = Boundary(
    kind="cryptography.ed25519",
    supports="cryptography>=42",
    hooks=(
        Hook(
            owner=openssl.ed25519,
            name="generate_key",
            key=lambda: None,
            encode=key_to_bytes,
            decode=key_from_bytes,
        ),
        checks(openssl.ed25519.Ed25519PrivateKey, "sign", "cryptography.ed25519.sign", _signed),
        checks(
            openssl.ed25519.Ed25519PublicKey, "verify", "cryptography.ed25519.verify", _verified
        ),
    ),
    errors=("cryptography.exceptions",),
)
