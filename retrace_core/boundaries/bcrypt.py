"""bcrypt: the salt of a new password hash, drawn past `os.urandom` in native code.

Hooks: `bcrypt.gensalt`. Read in bcrypt 5.0.
"""

from __future__ import annotations

import bcrypt

from retrace_core.boundary import Boundary, Hook


def _asked(rounds: int = 12, prefix: bytes = b"2b") -> object:
    return [rounds, prefix]


BOUNDARY = Boundary(
    kind="bcrypt",
    supports="bcrypt>=4",
    hooks=(Hook(owner=bcrypt, name="gensalt", key=_asked),),
)
