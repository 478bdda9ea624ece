"""Edwards keys: what the boundaries of cryptography's Ed25519 and Ed448 share."""

from __future__ import annotations

from typing import Any

from retrace_core.boundary import Boundary, Hook
from retrace_core.crypto.checking import checks, of_size
from retrace_core.crypto.made_key import key_from_bytes, key_to_bytes

__all__ = ["edwards_boundary"]


def edwards_boundary(kind: str, module: Any, private: type, public: type) -> Boundary:
    """Return the boundary of one curve.

    Args:
        kind: of its events.
        module: native, has `generate_key`.
        private: class of its private keys, which sign.
        public: class of its public keys, which verify.
    """
    return Boundary(
        kind=kind,
        supports="cryptography>=42",
        hooks=(
            Hook(
                owner=module,
                name="generate_key",
                key=lambda: None,
                encode=key_to_bytes,
                decode=key_from_bytes,
            ),
            checks(private, "sign", f"{kind}.sign", _signed),
            checks(public, "verify", f"{kind}.verify", _verified),
        ),
        errors=("cryptography.exceptions",),
    )


def _signed(self: Any, data: Any) -> object:
    return [of_size(data)]


def _verified(self: Any, signature: Any, data: Any) -> object:
    return [bytes(signature), of_size(data)]
