"""PyCryptodome: what a replay encrypted it can decrypt.

Not so by those that encrypt and decrypt by the same step (CTR, OFB, streams), as with cryptography.

Hooks: the classes of modes, of ChaCha20-Poly1305 and of RSA. Read in PyCryptodome 3.23 and 4.4.
"""

from __future__ import annotations

from retrace_core.boundary import Boundary
from retrace_core.crypto.block_ciphers import block_cipher_hooks

BOUNDARY = Boundary(
    kind="pycryptodome",
    supports="pycryptodome>=3.15",
    hooks=block_cipher_hooks("Crypto.Cipher"),
)
