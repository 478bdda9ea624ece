"""cryptography's ciphers that authenticate: what a replay encrypted it can decrypt.

Hooks: `encrypt` and `decrypt` of the native module's classes. Read in cryptography 45 and 50.
"""

from __future__ import annotations

from cryptography.hazmat.bindings._rust import openssl

from retrace_core.boundary import Boundary, Patch
from retrace_core.crypto.ciphering import decrypting, encrypting

_DATA = {
    "AESGCM": 2,
    "AESGCMSIV": 2,
    "AESCCM": 2,
    "AESOCB3": 2,
    "ChaCha20Poly1305": 2,
    "AESSIV": 1,
}
"""Which of the arguments is the data, after the cipher itself; most have the nonce before it."""
_classes = [
    (getattr(openssl.aead, name), name, place)
    for name, place in _DATA.items()
    if hasattr(openssl.aead, name)
]

BOUNDARY = Boundary(
    kind="cryptography.aead",
    supports="cryptography>=42",
    hooks=(
        *(Patch(one, "encrypt", encrypting(name, place)) for one, name, place in _classes),
        *(Patch(one, "decrypt", decrypting(name, place)) for one, name, place in _classes),
    ),
    errors=("cryptography.exceptions",),
)
