"""A private key in DER: what in it is its public half, which is no secret.

Read are those of RSA (PKCS #1), of elliptic curves (SEC 1), and both as PKCS #8 has them.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["RSA", "PublicHalf", "public_half"]

RSA = "rsa"
_CURVE = "ec"
_INTEGER, _BITS, _OCTETS, _SEQUENCE, _PUBLIC_KEY = 0x02, 0x03, 0x04, 0x30, 0xA1


class PublicHalf(NamedTuple):
    """What a private key says of its public one."""

    kind: str
    """RSA, or that of a curve."""
    begin: int
    """Where what is secret begins in its bytes."""
    end: int
    numbers: tuple[int, int] = (0, 0)
    """Modulus and exponent of RSA."""
    point: bytes = b""
    """The point of a curve, as it is encoded there."""


class _Element(NamedTuple):
    tag: int
    begin: int
    end: int


def public_half(der: bytes) -> PublicHalf | None:
    """Return the public half of a private key, None where it says none, or is no such key."""
    try:
        return _of_sequence(der, _element(der, 0))
    except (IndexError, ValueError):
        return None


def _element(der: bytes, at: int) -> _Element:
    """Return the element that begins there; raises IndexError past the end."""
    tag, size, begin = der[at], der[at + 1], at + 2
    if size & 0x80:
        begin += size & 0x7F
        size = int.from_bytes(der[at + 2 : begin], "big")
    if begin + size > len(der):
        raise ValueError("it is longer than its bytes")
    return _Element(tag, begin, begin + size)


def _of_sequence(der: bytes, whole: _Element) -> PublicHalf | None:
    version = _element(der, whole.begin)
    if (whole.tag, version.tag) != (_SEQUENCE, _INTEGER):
        return None
    first = _element(der, version.end)
    if first.tag == _INTEGER:
        exponent = _element(der, first.end)
        numbers = (_number(der, first), _number(der, exponent))
        return PublicHalf(RSA, exponent.end, len(der), numbers)
    if first.tag == _OCTETS:
        return _of_curve(der, first, whole.end)
    inner = _element(der, first.end)
    if first.tag != _SEQUENCE or inner.tag != _OCTETS:
        return None
    return _of_sequence(der, _element(der, inner.begin))


def _of_curve(der: bytes, secret: _Element, end: int) -> PublicHalf | None:
    at = secret.end
    while at < end:
        element = _element(der, at)
        if element.tag == _PUBLIC_KEY:
            bits = _element(der, element.begin)
            if bits.tag == _BITS:  # its first byte says how many bits of the last are none
                point = der[bits.begin + 1 : bits.end]
                return PublicHalf(_CURVE, secret.begin, secret.end, point=point)
        at = element.end
    return None


def _number(der: bytes, element: _Element) -> int:
    return int.from_bytes(der[element.begin : element.end], "big")
