"""cryptography's wrapping of keys, as tokens of JWE hold them: a masked key unwraps no other.

Hooks: the four functions of `keywrap`. Read in cryptography 45 and 50.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import keywrap

from retrace_core.boundary import Boundary, Patch
from retrace_core.crypto.ciphering import decrypting, encrypting

BOUNDARY = Boundary(
    kind="cryptography.keywrap",
    supports="cryptography>=42",
    hooks=(
        Patch(keywrap, "aes_key_wrap", encrypting("wrap", 1, "key_to_wrap")),
        Patch(keywrap, "aes_key_unwrap", decrypting("wrap", 1, "wrapped_key")),
        Patch(keywrap, "aes_key_wrap_with_padding", encrypting("padded wrap", 1, "key_to_wrap")),
        Patch(keywrap, "aes_key_unwrap_with_padding", decrypting("padded wrap", 1, "wrapped_key")),
    ),
    errors=("cryptography.hazmat.primitives.keywrap",),
)
