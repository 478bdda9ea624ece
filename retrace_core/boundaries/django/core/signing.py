"""Django's signing: what a session says, in a cookie or a table, where it is compressed.

Hooks: `Signer.sign_object` and `unsign_object`, which sign and check by other methods of theirs:
these are called by themselves, and what is left of the two is packing. Read in Django 4.2 to 6.0.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from django.core.signing import JSONSerializer, Signer

from retrace_core.boundary import Boundary, Patch
from retrace_core.crypto.signed_payloads import unpacked, written

if TYPE_CHECKING:
    from collections.abc import Callable


class _NoSigner:
    """Takes the place of a signer where nothing is left to be signed, or checked."""

    @staticmethod
    def sign(value: str) -> str:
        """Return a value as it is."""
        return value

    unsign = sign


def _signing(original: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(original)
    def sign_object(self: Any, obj: Any, serializer: Any = JSONSerializer, **options: Any) -> str:
        def made() -> bytes:
            return original(_NoSigner, obj, serializer, **options).encode()

        return str(self.sign(written(lambda: serializer().dumps(obj), made).decode()))

    return sign_object


def _unsigning(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def unsign_object(
        self: Any, signed_obj: Any, serializer: Any = JSONSerializer, **options: Any
    ) -> Any:
        payload = unpacked(self.unsign(signed_obj, **options).encode())
        return original(_NoSigner, payload.decode(), serializer)

    return unsign_object


BOUNDARY = Boundary(
    kind="django.signing",
    supports="django>=3.2",
    hooks=(
        Patch(Signer, "sign_object", _signing),
        Patch(Signer, "unsign_object", _unsigning),
    ),
)
