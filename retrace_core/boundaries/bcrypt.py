"""bcrypt: the salt of a new password hash, drawn past `os.urandom` in native code, and the hash.

Whether a password is right, and what its hash is, comes from the recording: a masked one is of
another hash.

Hooks: `bcrypt.gensalt`, `bcrypt.checkpw`, `bcrypt.hashpw`. Read in bcrypt 5.0.
"""

from __future__ import annotations

import bcrypt

from retrace_core.boundary import Boundary, Hook
from retrace_core.crypto.checking import checks, secret


def _asked(rounds: int = 12, prefix: bytes = b"2b") -> object:
    return [rounds, prefix]


def _checked(password: bytes, hashed_password: bytes) -> object:
    return [secret(password), hashed_password]


def _hashed(password: bytes, salt: bytes) -> object:
    return [secret(password), salt]


BOUNDARY = Boundary(
    kind="bcrypt",
    supports="bcrypt>=4",
    hooks=(
        Hook(owner=bcrypt, name="gensalt", key=_asked),
        checks(bcrypt, "checkpw", "bcrypt.checkpw", _checked),
        checks(bcrypt, "hashpw", "bcrypt.hashpw", _hashed, makes_secret=True, gives_again=1),
    ),
)
