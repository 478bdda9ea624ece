"""itsdangerous: signatures, of Flask's and Starlette's sessions among others.

Whether one is right, and what it is, comes from the recording: a masked one is of no key.

Hooks: `Signer.verify_signature` and `Signer.get_signature`. Read in itsdangerous 2.2.
"""

from __future__ import annotations

from typing import Any

from itsdangerous.signer import Signer

from retrace_core.boundary import Boundary
from retrace_core.crypto.checking import checks


def _verified(_: Any, value: Any, sig: Any) -> object:
    return [value, sig]


def _signed(_: Any, value: Any) -> object:
    return [value]


BOUNDARY = Boundary(
    kind="itsdangerous",
    supports="itsdangerous>=2",
    hooks=(
        checks(Signer, "verify_signature", "itsdangerous.verify_signature", _verified),
        checks(Signer, "get_signature", "itsdangerous.get_signature", _signed),
    ),
)
