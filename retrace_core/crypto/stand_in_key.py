"""Stand-in key: a private key of the kind that a masked one was, for replays.

Of a masked key label and size are left. They tell which kind of key it was, and of which size,
where that is one in common use. Its public half is left too, where a key says it: then the
stand-in's is the same.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from retrace_core.crypto.private_key import RSA, PublicHalf, public_half

__all__ = ["stand_in_key"]

_PEM = re.compile(
    rb"-----BEGIN (RSA |EC |)PRIVATE KEY-----([\sA-Za-z0-9+/=]+)-----END (?:RSA |EC |)PRIVATE KEY"
)
_RSA_BITS = {600: 1024, 1190: 2048, 1770: 3072, 2350: 4096}
"""By about how many bytes such a key has, PKCS #1."""
_PKCS8_MORE = 26
_CURVES = {121: ec.SECP256R1(), 167: ec.SECP384R1(), 223: ec.SECP521R1()}
_PKCS8_CURVES = {138: ec.SECP256R1(), 185: ec.SECP384R1(), 241: ec.SECP521R1()}
_ED25519, _ED448 = 48, 73
_NEAR = 20


@functools.lru_cache(maxsize=64)
def stand_in_key(pem: bytes) -> Any:
    """Return a key for a masked one, the same for the same; None where its kind is unknown."""
    match = _PEM.search(pem)
    if match is None:
        return None
    try:
        der = base64.b64decode(match[2])
    except (binascii.Error, ValueError):
        return None
    made, half = _of_kind(match[1], len(der)), public_half(der)
    return made if made is None or half is None else _with_public(made, half)


def _of_kind(label: bytes, size: int) -> Any:
    if label == b"EC ":
        return _of_curve(_CURVES, size)
    if label == b"RSA ":
        return _of_rsa(size)
    if size == _ED25519:
        return ed25519.Ed25519PrivateKey.generate()
    if size == _ED448:
        return ed448.Ed448PrivateKey.generate()
    return _of_curve(_PKCS8_CURVES, size) or _of_rsa(size - _PKCS8_MORE)


def _of_curve(curves: dict[int, Any], size: int) -> Any:
    curve = curves.get(size)
    return None if curve is None else ec.generate_private_key(curve)


def _of_rsa(size: int) -> Any:
    bits = next((bits for about, bits in _RSA_BITS.items() if abs(size - about) < _NEAR), None)
    return None if bits is None else rsa.generate_private_key(65537, bits)


class _StandIn:
    """A key that signs as another one does, and has a public half of its own.

    Args:
        key: that signs.
        public: the public half.
    """

    def __init__(self, key: Any, public: Any) -> None:
        self._key, self._public = key, public

    def public_key(self) -> Any:
        return self._public

    def __getattr__(self, name: str) -> Any:
        return getattr(self._key, name)


@rsa.RSAPrivateKey.register
class _OfRSA(_StandIn):
    def private_numbers(self) -> rsa.RSAPrivateNumbers:
        own = self._key.private_numbers()
        secret = own.p, own.q, own.d, own.dmp1, own.dmq1, own.iqmp
        return rsa.RSAPrivateNumbers(*secret, self._public.public_numbers())


@ec.EllipticCurvePrivateKey.register
class _OfCurve(_StandIn):
    def private_numbers(self) -> ec.EllipticCurvePrivateNumbers:
        own = self._key.private_numbers()
        return ec.EllipticCurvePrivateNumbers(own.private_value, self._public.public_numbers())


def _with_public(key: Any, half: PublicHalf) -> Any:
    """Return a key with another public half; itself where the two do not fit each other."""
    try:
        if half.kind == RSA and isinstance(key, rsa.RSAPrivateKey):
            modulus, exponent = half.numbers
            return _OfRSA(key, rsa.RSAPublicNumbers(exponent, modulus).public_key())
        if half.kind != RSA and isinstance(key, ec.EllipticCurvePrivateKey):
            of_point = ec.EllipticCurvePublicKey.from_encoded_point
            return _OfCurve(key, of_point(key.curve, half.point))
    except ValueError:
        pass
    return key
