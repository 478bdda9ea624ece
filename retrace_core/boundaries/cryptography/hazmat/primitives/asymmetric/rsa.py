"""cryptography's RSA: keys and padding have random parts, drawn in native code.

What is signed or encrypted is not kept, but a checksum of it. Whether a signature is right comes
from the recording: it may be masked. What a replay encrypted it can decrypt.

Hooks: `generate_private_key`, `RSAPrivateKey.sign` and `.decrypt`, `RSAPublicKey.encrypt` and
`.verify` of the native module. Read in cryptography 45 and 50.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.bindings._rust import openssl

from retrace_core.boundary import Boundary, Hook, Patch, call
from retrace_core.checksum import checksum_of
from retrace_core.crypto.checking import checks, of_size
from retrace_core.crypto.ciphering import decrypting, remember
from retrace_core.crypto.made_key import key_from_bytes, key_to_bytes
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable


def _made(public_exponent: int, key_size: int) -> object:
    return [public_exponent, key_size]


def _signed(self: Any, data: Any, padding: Any, algorithm: Any) -> object:
    return [checksum_of(data), type(padding).__name__]


def _encrypting(original: Callable[..., bytes]) -> Callable[..., bytes]:
    @functools.wraps(original)
    def encrypt(self: Any, plaintext: Any, padding: Any) -> bytes:
        lane = current()
        if lane is None:
            return original(self, plaintext, padding)
        asked = [checksum_of(plaintext), type(padding).__name__]
        live = functools.partial(original, self, plaintext, padding)
        made = call(lane, "cryptography.rsa.encrypt", asked, live)
        if lane.mode == REPLAY:
            remember(made, plaintext)
        return made

    return encrypt


def _verified(self: Any, signature: Any, data: Any, *_: Any) -> object:
    return [bytes(signature), of_size(data)]


BOUNDARY = Boundary(
    kind="cryptography.rsa",
    supports="cryptography>=42",
    hooks=(
        Hook(
            owner=openssl.rsa,
            name="generate_private_key",
            key=_made,
            encode=key_to_bytes,
            decode=key_from_bytes,
        ),
        Hook(owner=openssl.rsa.RSAPrivateKey, name="sign", key=_signed),
        Patch(openssl.rsa.RSAPublicKey, "encrypt", _encrypting),
        Patch(openssl.rsa.RSAPrivateKey, "decrypt", decrypting("RSA", 1, "ciphertext")),
        checks(openssl.rsa.RSAPublicKey, "verify", "cryptography.rsa.verify", _verified),
    ),
    errors=("cryptography.exceptions",),
)
