"""cryptography's X448: a new key is drawn in native code; its use has no random part.

Hooks: `generate_key` of the native module. Read in cryptography 45 and 50.
"""

from __future__ import annotations

from cryptography.hazmat.bindings._rust import openssl

from retrace_core.boundary import Boundary, Hook
from retrace_core.crypto.made_key import key_from_bytes, key_to_bytes

BOUNDARY = Boundary(
    kind="cryptography.x448",
    supports="cryptography>=42",
    hooks=(
        Hook(
            owner=openssl.x448,
            name="generate_key",
            key=lambda: None,
            encode=key_to_bytes,
            decode=key_from_bytes,
        ),
    ),
)
