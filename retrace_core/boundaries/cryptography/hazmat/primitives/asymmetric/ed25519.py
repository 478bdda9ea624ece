"""cryptography's Ed25519: a new key is drawn in native code; its use has no random part.

What it signs, and whether a signature is right, comes from the recording: both may be masked.

Hooks: `generate_key` of the native module, `sign` and `verify` of its keys. Read in
cryptography 45 and 50.
"""

from __future__ import annotations

from cryptography.hazmat.bindings._rust import openssl

from retrace_core.crypto.edwards_keys import edwards_boundary

BOUNDARY = edwards_boundary(
    "cryptography.ed25519",
    openssl.ed25519,
    openssl.ed25519.Ed25519PrivateKey,
    openssl.ed25519.Ed25519PublicKey,
)
