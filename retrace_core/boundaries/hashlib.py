"""hashlib: a masked password has its recorded hash, and what is masked its recorded digest.

Django, Werkzeug and most others check passwords by the first two; tags of pages and keys of
caches are made by the others.

Hooks: `pbkdf2_hmac` and `scrypt`; the native part's table has `new` and OpenSSL's `md5`, `sha1`,
SHA-2 and SHA-3, which are in use where secrets are masked; so are the types of BLAKE2, and the
`copy` of a hash that was begun earlier (at import, for what is hashed often). Read in CPython
3.11 to 3.13.
"""

from __future__ import annotations

import hashlib
from typing import Any

from retrace_core import native
from retrace_core.boundary import Boundary
from retrace_core.crypto.checking import checks, secret
from retrace_core.crypto.hash_object import keeping
from retrace_core.crypto.hashing import keep_by


def _pbkdf2(
    hash_name: str, password: Any, salt: Any, iterations: int, dklen: int | None = None
) -> object:
    return [hash_name, secret(bytes(password)), bytes(salt), iterations, dklen]


def _scrypt(password: Any, **options: Any) -> object:
    return [secret(bytes(password)), {name: _plain(value) for name, value in options.items()}]


def _plain(value: Any) -> object:
    return value if isinstance(value, int) else bytes(value)


def _install(module: Any) -> None:
    keep_by(keeping)
    for kind in (module.blake2b, module.blake2s, type(module.sha256())):
        native.hook_hash_type(kind)


def _remove() -> None:
    keep_by(None)
    native.release_hash_types()


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
    install=_install,
    remove=_remove,
)
