"""Derived key: what the boundaries of cryptography's ways to derive one of a secret share."""

from __future__ import annotations

from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.crypto.checking import checks, secret

__all__ = ["derived_key_boundary"]


def derived_key_boundary(kind: str, derives: type) -> Boundary:
    """Return the boundary of one way.

    Args:
        kind: of its events.
        derives: its class, which has `derive` and `verify`.
    """
    return Boundary(
        kind=kind,
        supports="cryptography>=42",
        hooks=(
            checks(derives, "derive", f"{kind}.derive", _derived, makes_secret=True),
            checks(derives, "verify", f"{kind}.verify", _verified),
        ),
        errors=("cryptography.exceptions",),
    )


def _derived(_: Any, key_material: Any) -> object:
    return [secret(bytes(key_material))]


def _verified(_: Any, key_material: Any, expected_key: Any) -> object:
    return [secret(bytes(key_material)), secret(bytes(expected_key))]
