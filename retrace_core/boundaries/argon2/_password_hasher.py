"""argon2-cffi: whether a password is right comes from the recording.

Hooks: `PasswordHasher.verify`. Read in argon2-cffi 25.1.
"""

from __future__ import annotations

from typing import Any

from argon2._password_hasher import PasswordHasher

from retrace_core.boundary import Boundary
from retrace_core.checking import checks


def _verified(_: Any, hash: Any, password: Any) -> object:
    return [hash, password]


BOUNDARY = Boundary(
    kind="argon2",
    supports="argon2-cffi>=21.2",
    hooks=(checks(PasswordHasher, "verify", "argon2.verify", _verified),),
    errors=("argon2.exceptions",),
)
