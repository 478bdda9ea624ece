"""PyCryptodome under its other name (pycryptodomex): what a replay encrypted it can decrypt.

Hooks: as for `Crypto.Cipher`. Read in PyCryptodome 3.23 and 4.4.
"""

from __future__ import annotations

from retrace_core.boundary import Boundary
from retrace_core.crypto.block_ciphers import block_cipher_hooks

BOUNDARY = Boundary(
    kind="pycryptodome",
    supports="pycryptodomex>=3.15",
    hooks=block_cipher_hooks("Cryptodome.Cipher"),
)
