"""crypt: the hash of a password that the C library makes, as passlib asks for it.

What it is comes from the recording: a masked password is of another hash. It is gone from
CPython 3.13.

Hooks: `crypt.crypt`. Read in CPython 3.11 and 3.12.
"""

from __future__ import annotations

import crypt  # pyright: ignore[reportMissingModuleSource]

from retrace_core.boundary import Boundary
from retrace_core.crypto.checking import checks, secret


def _hashed(word: str, salt: object = None) -> object:
    return [secret(word), str(salt)]


BOUNDARY = Boundary(
    kind="crypt",
    supports="cpython>=3.11,<3.13",
    hooks=(checks(crypt, "crypt", "crypt.crypt", _hashed, makes_secret=True, gives_again=1),),
)
