"""hashlib: a masked password has its recorded hash, and what is masked its recorded digest.

Django, Werkzeug and most others check passwords by the first two; tags of pages and keys of
caches are made by the others.

Hooks: `pbkdf2_hmac` and `scrypt`; the native part's table has `new` and OpenSSL's `md5`, `sha1`
and SHA-2, which are in use where secrets are masked. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import hashlib
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.checking import checks, secret
from retrace_core.hash_object import keeping
from retrace_core.hashing import keep_by


def _pbkdf2(
    hash_name: str, password: Any, salt: Any, iterations: int, dklen: int | None = None
) -> object:
    return [hash_name, secret(bytes(password)), bytes(salt), iterations, dklen]


def _scrypt(password: Any, **options: Any) -> object:
    return [secret(bytes(password)), {name: _plain(value) for name, value in options.items()}]


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
    install=lambda _: keep_by(keeping),
    remove=lambda: keep_by(None),
)
