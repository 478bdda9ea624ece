"""python-jose: whether the signature of a token is right, and what it is, come from the recording.

That is by a shared secret, with `cryptography` as its backend. By other keys that library signs
itself, and without it `hmac` does: both have boundaries.

Hooks: `sign` and `verify` of that key. Read in python-jose 3.5.
"""

from __future__ import annotations

from typing import Any

from jose.backends import cryptography_backend

from retrace_core.boundary import Boundary
from retrace_core.checking import checks


def _signed(_: Any, msg: Any) -> object:
    return [msg]


def _verified(_: Any, msg: Any, sig: Any) -> object:
    return [msg, sig]


_Key = cryptography_backend.CryptographyHMACKey

BOUNDARY = Boundary(
    kind="jose",
    supports="python-jose>=3.3",
    hooks=(
        checks(_Key, "sign", "jose.CryptographyHMACKey.sign", _signed),
        checks(_Key, "verify", "jose.CryptographyHMACKey.verify", _verified),
    ),
)
