"""cryptography's HMAC: a signature comes from the recording, by what it is of; so does its check.

python-jose and jwcrypto sign tokens with it. As with `hmac`, what is signed may be masked, and the
key is in no recording.

Hook: `hmac.HMAC`, which its users take from the module; `Fernet` has a boundary of its own. Read in
cryptography 50.
"""

from __future__ import annotations

from typing import Any

from cryptography import exceptions
from cryptography.hazmat.primitives import hmac

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.crypto.hashing import Fed
from retrace_core.native import current

_SIGNED, _VERIFIED = "free.cryptography.hmac", "free.cryptography.hmac.verify"
_LARGEST = 64 * 1024
"""What is signed and has more bytes is not recorded: its signature is reckoned on replay."""


class _Signing:
    """One of a recorded request, which keeps what it is fed."""

    def __init__(self, live: Any, fed: Fed) -> None:
        self._live, self._fed = live, fed

    @property
    def algorithm(self) -> Any:
        return self._live.algorithm

    def update(self, data: Any) -> None:
        self._live.update(data)
        self._fed.add(data)

    def copy(self) -> _Signing:
        return type(self)(self._live.copy(), self._fed.copy())

    def finalize(self) -> bytes:
        lane = current()
        if lane is None or not self._fed.is_kept:
            return self._live.finalize()  # type: ignore[no-any-return]
        key = [self.algorithm.name, bytes(self._fed)]
        signature: bytes = call_free(lane, _SIGNED, key, self._live.finalize)
        return signature

    def verify(self, signature: Any) -> None:
        lane = current()
        if lane is None or not self._fed.is_kept:
            self._live.verify(signature)
            return
        key = [self.algorithm.name, bytes(self._fed), bytes(signature)]
        call_free(lane, _VERIFIED, key, lambda: self._live.verify(signature))


def _hooked(original: Any) -> Any:
    class Kind(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, original | _Signing)

    class HMAC(metaclass=Kind):
        def __new__(cls, key: Any, algorithm: Any, backend: Any = None) -> Any:
            live = original(key, algorithm, backend)
            return live if current() is None else _Signing(live, Fed(_LARGEST))

    return HMAC


BOUNDARY = Boundary(
    kind="cryptography.hmac",
    supports="cryptography>=42",
    hooks=(Patch(hmac, "HMAC", _hooked),),
    errors=(exceptions.InvalidSignature,),
)
