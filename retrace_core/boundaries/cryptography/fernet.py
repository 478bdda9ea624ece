"""cryptography's Fernet: what a replay encrypted it can decrypt, though its key is masked.

Hooks: `Fernet._encrypt_from_parts`, `decrypt` and `decrypt_at_time`; those of `MultiFernet` where
they don't go by them (since cryptography 50 they take the token apart once for all keys), and its
`rotate`. Read in cryptography 45 and 50.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, MultiFernet

from retrace_core.boundary import Boundary, Patch
from retrace_core.crypto.checking import takes_part
from retrace_core.crypto.ciphering import decrypt, encrypt, encrypt_again
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _encrypting(original: Callable[..., bytes]) -> Callable[..., bytes]:
    @functools.wraps(original)
    def encrypted(self: Any, data: Any, *args: Any, **options: Any) -> bytes:
        lane = current()
        live = functools.partial(original, self, data, *args, **options)
        if lane is None or not takes_part(lane):
            return live()
        return encrypt(lane, None, data, live)

    return encrypted


def _decrypting(original: Callable[..., bytes]) -> Callable[..., bytes]:
    @functools.wraps(original)
    def decrypted(self: Any, token: Any, *args: Any, **options: Any) -> bytes:
        lane = current()
        live = functools.partial(original, self, token, *args, **options)
        if lane is None or not takes_part(lane):
            return live()
        if not isinstance(token, str | bytes):
            return live()  # which says what is wrong with it
        given = token.encode() if isinstance(token, str) else token
        return decrypt(lane, None, given, live)

    return decrypted


def _rotating(original: Callable[..., bytes]) -> Callable[..., bytes]:
    @functools.wraps(original)
    def rotated(self: Any, token: Any) -> bytes:
        lane = current()
        live = functools.partial(original, self, token)
        if lane is None or not takes_part(lane) or not isinstance(token, str | bytes):
            return live()
        return encrypt_again(lane, token.encode() if isinstance(token, str) else token, live)

    return rotated


def _by_itself(name: str) -> bool:
    """Return True where this method of `MultiFernet` does not go by that of `Fernet`."""
    code: Any = getattr(MultiFernet, name).__code__
    return name not in code.co_names


BOUNDARY = Boundary(
    kind="cryptography.fernet",
    supports="cryptography>=42",
    hooks=(
        Patch(Fernet, "_encrypt_from_parts", _encrypting),
        Patch(Fernet, "decrypt", _decrypting),
        Patch(Fernet, "decrypt_at_time", _decrypting),
        *(
            Patch(MultiFernet, name, _decrypting)
            for name in ("decrypt", "decrypt_at_time")
            if _by_itself(name)
        ),
        Patch(MultiFernet, "rotate", _rotating),
    ),
    errors=("cryptography.fernet",),
)
