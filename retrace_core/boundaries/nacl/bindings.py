"""PyNaCl: what a replay encrypted it can decrypt, and what is said of passwords was recorded.

Hooks: functions of `nacl.bindings`, which the boxes, the keys and `nacl.pwhash` call there. Read
in PyNaCl 1.6.
"""

from __future__ import annotations

from typing import Any

from nacl import bindings

from retrace_core.boundary import Boundary, Patch
from retrace_core.crypto.checking import checks, of_size, secret
from retrace_core.crypto.ciphering import decrypting, encrypting

_BOXES = (
    ("crypto_secretbox", "crypto_secretbox_open"),
    ("crypto_secretbox_easy", "crypto_secretbox_open_easy"),
    ("crypto_box", "crypto_box_open"),
    ("crypto_box_easy", "crypto_box_open_easy"),
    ("crypto_box_afternm", "crypto_box_open_afternm"),
    ("crypto_box_easy_afternm", "crypto_box_open_easy_afternm"),
    ("crypto_aead_chacha20poly1305_encrypt", "crypto_aead_chacha20poly1305_decrypt"),
    ("crypto_aead_chacha20poly1305_ietf_encrypt", "crypto_aead_chacha20poly1305_ietf_decrypt"),
    ("crypto_aead_xchacha20poly1305_ietf_encrypt", "crypto_aead_xchacha20poly1305_ietf_decrypt"),
    ("crypto_aead_aes256gcm_encrypt", "crypto_aead_aes256gcm_decrypt"),
)


def _hashed(passwd: bytes, *costs: Any, **more: Any) -> object:
    return [secret(passwd), *costs, *more.values()]


def _checked(passwd_hash: bytes, passwd: bytes) -> object:
    return [passwd_hash, secret(passwd)]


def _derived(outlen: int, passwd: bytes, salt: bytes, *costs: Any, **more: Any) -> object:
    return [outlen, secret(passwd), salt, *costs, *more.values()]


def _signed(message: bytes, _: bytes) -> object:
    return [of_size(message)]


def _hooks() -> tuple[Patch, ...]:
    hooks = [
        Patch(bindings, "crypto_box_seal", encrypting("seal", 0, "message", is_drawn=True)),
        Patch(bindings, "crypto_box_seal_open", decrypting("seal", 0, "ciphertext")),
    ]
    for seals, opens in _BOXES:
        if hasattr(bindings, seals):  # a small build of the library lacks some
            hooks.append(Patch(bindings, seals, encrypting(seals, 0, "message")))
            hooks.append(Patch(bindings, opens, decrypting(seals, 0, "ciphertext")))
    of_passwords = (
        ("crypto_pwhash_str_alg", _hashed, True),
        ("crypto_pwhash_str_verify", _checked, False),
        ("crypto_pwhash_alg", _derived, True),
        ("crypto_pwhash_scryptsalsa208sha256_str", _hashed, True),
        ("crypto_pwhash_scryptsalsa208sha256_str_verify", _checked, False),
        ("crypto_sign", _signed, False),
        ("crypto_sign_open", _signed, False),
    )
    for name, key, makes in of_passwords:
        if hasattr(bindings, name):
            hooks.append(checks(bindings, name, f"nacl.{name}", key, makes_secret=makes))
    return tuple(hooks)


BOUNDARY = Boundary(
    kind="nacl",
    supports="pynacl>=1.5",
    hooks=_hooks(),
    errors=("nacl.exceptions",),
)
