"""argon2-cffi: whether a password is right, and the hash of one, come from the recording.

Hooks: `PasswordHasher.verify`; `hash_secret`, `hash_secret_raw` and `verify_secret`, which passlib
calls, both where they are and where the hasher has them from. Read in argon2-cffi 25.1.
"""

from __future__ import annotations

from typing import Any

from argon2 import _password_hasher, low_level
from argon2._password_hasher import PasswordHasher

from retrace_core.boundary import Boundary
from retrace_core.crypto.checking import SECRET, checks


def _verified(_: Any, hash: Any, password: Any) -> object:
    return [hash, {SECRET: password}]


def _verified_low(hash: Any, secret: Any, type: Any) -> object:
    return [hash, {SECRET: secret}, type.name]


def _hashed(secret: Any, salt: Any, *args: Any, **options: Any) -> object:
    costs = [*args, *options.values()]
    return [{SECRET: secret}, salt, [getattr(cost, "name", cost) for cost in costs]]


BOUNDARY = Boundary(
    kind="argon2",
    supports="argon2-cffi>=21.2",
    hooks=(
        checks(PasswordHasher, "verify", "argon2.verify", _verified),
        *(
            hook
            for module in (low_level, _password_hasher)
            for hook in (
                checks(module, "hash_secret", "argon2.hash_secret", _hashed, makes_secret=True),
                checks(module, "verify_secret", "argon2.verify_secret", _verified_low),
            )
        ),
        checks(low_level, "hash_secret_raw", "argon2.hash_secret_raw", _hashed, makes_secret=True),
    ),
    errors=("argon2.exceptions",),
)
