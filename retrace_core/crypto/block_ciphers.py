"""Block ciphers: those of PyCryptodome, for the boundaries of its two names."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Patch
from retrace_core.crypto.ciphering import decrypting, encrypt, encrypting, end, takes_it
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["block_cipher_hooks"]

_CLASSES = {
    "_mode_cbc": "CbcMode",
    "_mode_ecb": "EcbMode",
    "_mode_gcm": "GcmMode",
    "_mode_eax": "EaxMode",
    "_mode_ccm": "CcmMode",
    "ChaCha20_Poly1305": "ChaCha20Poly1305Cipher",
    "PKCS1_v1_5": "PKCS115_Cipher",
    "PKCS1_OAEP": "PKCS1OAEP_Cipher",
}


def block_cipher_hooks(package: str) -> tuple[Patch, ...]:
    """Return the hooks of the ciphers in a package of that name."""
    return tuple(_hooks(package))


def _hooks(package: str) -> Iterator[Patch]:
    for module, name in _CLASSES.items():
        one = getattr(importlib.import_module(f"{package}.{module}"), name, None)
        if one is None:
            continue
        plain = "message" if module.startswith("PKCS1") else "plaintext"
        yield Patch(one, "encrypt", encrypting(name, 1, plain))
        yield Patch(one, "decrypt", decrypting(name, 1, "ciphertext"))
        if hasattr(one, "verify"):
            yield Patch(one, "digest", functools.partial(_digest, name))
            yield Patch(one, "verify", functools.partial(_verify, name))


def _digest(name: str, original: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    @functools.wraps(original)
    def digest(self: Any) -> bytes:
        lane = current()
        live = functools.partial(original, self)
        return encrypt(lane, f"{name} tag", b"", live) if takes_it(lane, b"") else live()

    return digest


def _verify(name: str, original: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    @functools.wraps(original)
    def verify(self: Any, received_mac_tag: Any) -> None:
        lane = current()
        if not takes_it(lane, received_mac_tag):
            return original(self, received_mac_tag)

        def live() -> bytes:
            original(self, received_mac_tag)
            return b""

        end(lane, name, bytes(received_mac_tag), live)
        return None

    return verify
