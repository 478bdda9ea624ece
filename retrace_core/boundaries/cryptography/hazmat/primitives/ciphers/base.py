"""cryptography's bare ciphers: what a replay encrypted it can decrypt.

Not so those that encrypt and decrypt by the same step (CTR, OFB, streams): what is taken for
encrypting there may be decrypting, and what comes out would be kept as it is.

Hooks: `Cipher.encryptor` and `.decryptor`. Read in cryptography 45 and 50.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers import modes
from cryptography.hazmat.primitives.ciphers.base import (
    AEADDecryptionContext,
    AEADEncryptionContext,
    Cipher,
)

from retrace_core.boundary import Boundary, Patch
from retrace_core.crypto.checking import takes_part
from retrace_core.crypto.cipher_context import Decrypting, Encrypting
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_MODES = (modes.CBC, modes.ECB, modes.GCM, modes.XTS)


class _Encrypting(Encrypting, AEADEncryptionContext):
    """One of these as code asks for it by its class."""


class _Decrypting(Decrypting, AEADDecryptionContext):
    """And one of those."""


def _in_place(
    factory: Callable[[Any, str], Any], original: Callable[..., Any]
) -> Callable[..., Any]:
    @functools.wraps(original)
    def made(self: Any) -> Any:
        context = original(self)
        lane = current()
        if lane is None or not isinstance(self.mode, _MODES) or not takes_part(lane):
            return context
        return factory(context, f"{self.algorithm.name}-{self.mode.name}")

    return made


BOUNDARY = Boundary(
    kind="cryptography.ciphers",
    supports="cryptography>=42",
    hooks=(
        Patch(Cipher, "encryptor", functools.partial(_in_place, _Encrypting)),
        Patch(Cipher, "decryptor", functools.partial(_in_place, _Decrypting)),
    ),
    errors=("cryptography.exceptions",),
)
