"""hashlib's derivation of keys from passwords: a masked password has its recorded hash.

Django, Werkzeug and most others check passwords by these.

Hooks: `pbkdf2_hmac` and `scrypt`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import hashlib
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.checking import checks


def _pbkdf2(
    hash_name: str, password: Any, salt: Any, iterations: int, dklen: int | None = None
) -> object:
    return [hash_name, bytes(password), bytes(salt), iterations, dklen]


def _scrypt(password: Any, **options: Any) -> object:
    return [bytes(password), {name: _plain(value) for name, value in options.items()}]


def _plain(value: Any) -> object:
    return value if isinstance(value, int) else bytes(value)


BOUNDARY = Boundary(
    kind="hashlib",
    supports="cpython>=3.11,<3.14",
    hooks=(
        checks(hashlib, "pbkdf2_hmac", "hashlib.pbkdf2_hmac", _pbkdf2),
        *(
            (checks(hashlib, "scrypt", "hashlib.scrypt", _scrypt),)
            if hasattr(hashlib, "scrypt")
            else ()
        ),
    ),
)
