"""cryptography's elliptic curves: keys and signatures have random parts, drawn in native code.

What is signed is not kept, but a checksum of it. Whether a signature is right comes from the
recording: it may be masked.

Hooks: `generate_private_key`, `ECPrivateKey.sign` and `ECPublicKey.verify` of the native module.
Read in cryptography 45 and 50.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.asymmetric import ec

from retrace_core.boundary import Boundary, Hook
from retrace_core.checksum import checksum_of
from retrace_core.crypto.checking import checks, of_size
from retrace_core.crypto.made_key import key_from_bytes, key_to_bytes


def _made(curve: Any, backend: Any = None) -> object:
    return curve.name


def _asked(self: Any, data: Any, signature_algorithm: Any) -> object:
    return [checksum_of(data), type(signature_algorithm).__name__]


def _verified(self: Any, signature: Any, data: Any, *_: Any) -> object:
    return [bytes(signature), of_size(data)]


BOUNDARY = Boundary(
    kind="cryptography.ec",
    supports="cryptography>=42",
    hooks=(
        Hook(
            owner=ec,
            name="generate_private_key",
            key=_made,
            encode=key_to_bytes,
            decode=key_from_bytes,
        ),
        Hook(owner=openssl.ec.ECPrivateKey, name="sign", key=_asked),
        checks(openssl.ec.ECPublicKey, "verify", "cryptography.ec.verify", _verified),
    ),
    errors=("cryptography.exceptions",),
)
