"""PyJWT: whether the signature of a token is right, and what it is, come from the recording.

What the token says, and whether it has expired, is worked out again.

Hooks: `verify` of the algorithms, and `sign` of the one with a shared secret. Read in PyJWT 2.10.
"""

from __future__ import annotations

from typing import Any

from jwt import algorithms

from retrace_core.boundary import Boundary
from retrace_core.crypto.checking import checks

_CLASSES = ("HMACAlgorithm", "RSAAlgorithm", "RSAPSSAlgorithm", "ECAlgorithm", "OKPAlgorithm")


def _verified(_: Any, msg: Any, key: Any, sig: Any) -> object:
    return [msg, sig]


def _signed(_: Any, msg: Any, key: Any) -> object:
    return [msg]


BOUNDARY = Boundary(
    kind="jwt",
    supports="pyjwt>=2.4",
    hooks=(
        *(
            checks(getattr(algorithms, name), "verify", f"jwt.{name}.verify", _verified)
            for name in _CLASSES
            if "verify" in vars(getattr(algorithms, name, object))
        ),
        checks(algorithms.HMACAlgorithm, "sign", "jwt.HMACAlgorithm.sign", _signed),
    ),
)
