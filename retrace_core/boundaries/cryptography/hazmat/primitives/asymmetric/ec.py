"""cryptography's elliptic curves: a signature has a random part, drawn in native code.

What is signed is not kept, but a digest of it. A private key that a request makes is not
recorded: it would be a secret in the recording.

Hooks: `ECPrivateKey.sign` of the native module. Read in cryptography 50.
"""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.bindings._rust import openssl

from retrace_core.boundary import Boundary, Hook


def _asked(self: Any, data: Any, signature_algorithm: Any) -> object:
    return [hashlib.sha256(data).digest(), type(signature_algorithm).__name__]


BOUNDARY = Boundary(
    kind="cryptography.ec",
    supports="cryptography>=42",
    hooks=(Hook(owner=openssl.ec.ECPrivateKey, name="sign", key=_asked),),
)
