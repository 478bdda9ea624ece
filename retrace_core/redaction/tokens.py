"""Tokens: those of parts, of which the part that opens doors is masked and the rest is data.

So are hashes of passwords: of them the digest is masked.

Without its signature a JWT, or a signed cookie of Flask's or Django's, opens nothing. What it
says stays readable for the replayed code, with the secrets that are in it masked in turn.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from typing import TYPE_CHECKING, NamedTuple

from retrace_core.redaction.base64_text import TO_URL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "Parts",
    "digest_of",
    "encoded_json",
    "opened",
    "parts_of",
    "plain_digest",
    "signed_parts",
]

_JWT = re.compile(rb"(eyJ[A-Za-z0-9_-]*)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]{3,})")
_LEAST_SIGNATURE = 8
"""A shorter one is none that anybody made, but somebody's try: then it says what it is, in JSON."""
_SIGNED = re.compile(
    rb"(\.?[A-Za-z0-9_+/-]{2,})={0,2}[.:](?:[A-Za-z0-9_-]{4,12}[.:])?([A-Za-z0-9_-]{16,})"
)
"""Flask's and Django's, with the time of signing or without; and Starlette's, with padding."""
_SAID = re.compile(
    rb"([\[{\"].*[\]}\"])\.(?:[A-Za-z0-9_-]{4,12}\.)?([A-Za-z0-9_-]{27,86})", re.DOTALL
)
"""JSON as it is, signed by itsdangerous, with a time or without."""
_NAKED = re.compile(rb"([A-Za-z0-9_-]{1,7})[:.]([A-Za-z0-9_-]{27}|[A-Za-z0-9_-]{43})")
"""A short value with a signature by SHA-1 or SHA-256, and no time: Django's `Signer`."""
_TIMED = re.compile(rb"([0-9a-z]{6})-([0-9a-f]{32,64})")
"""By which Django resets a password: when it was made, in base 36, and a digest."""
_STAMPED = re.compile(
    rb"(1[0-9]{9}(?:\.[0-9]{1,7})?)[-.:|_]((?=[^-.:|_]*[0-9])[A-Za-z0-9_+/-]{27,88}={0,2})"
)
"""When it was made, as a Unix time, and a digest; by hand, as many applications make one."""
_ID_SIGNED = re.compile(
    rb"([A-Za-z0-9_-]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    rb"([.:!|])((?=[^.:!|]*[0-9])[A-Za-z0-9_+/-]{27,88}={0,2})"
)
"""An id with its signature, as libraries of sessions write it."""
_PACKED = re.compile(
    rb"(?<![A-Za-z0-9_.-])\.(e[A-Za-z][A-Za-z0-9_-]{6,})"
    rb"(?=([.:])[A-Za-z0-9_-]{4,12}[.:][A-Za-z0-9_-]{16,})"
)
_CURSOR = re.compile(rb"(?:[A-Za-z][A-Za-z0-9]{0,15}[_-])?(eyJ[A-Za-z0-9+/_-]{16,})={0,2}")
"""JSON in base64; what is a key may begin with whose it is."""
_ENCODED = re.compile(rb"(?<![A-Za-z0-9])(?:eyJ|WyI|W3s)[A-Za-z0-9+/_-]{16,}(?![.:])")
"""JSON in base64, and no part of a token that is signed."""
_OPAQUE = re.compile(rb"\"((?=[^\"\\]*[0-9])[A-Za-z0-9+/=_.-]{16,})\"")
_LIMIT = 1 << 20
_HEX_DIGESTS = frozenset(2 * size for size in (16, 20, 28, 32, 48, 64))
_HEX = re.compile(rb"[0-9a-f]+")
_PASSWORD_HASH = re.compile(
    rb"(?:\{[A-Z][A-Z0-9-]{1,20}\})?"  # as LDAP has it
    rb"(?:(?:bcrypt(?:_sha256)?\$)?\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{22}([./A-Za-z0-9]{31})"
    rb"|(?:(?:scrypt|pbkdf2)(?:[\w:.-]*|\([\w,]{3,40}\))|(?:argon2)?\$(?:argon2(?:id|i|d)|scrypt|pbkdf2[\w-]*|[156y7]|apr1))"
    rb"\$(?:[^\s$]*\$)*([A-Za-z0-9+/=._-]{20,}))"
    rb"|\{[A-Z][A-Z0-9-]{1,20}\}(?:[^\s$]+\$)*([A-Za-z0-9+/=._-]{20,})"
)


class Parts(NamedTuple):
    """What a token is made of."""

    payload: bytes
    """As it stands in it, base64."""
    says: bytes | None
    """The payload decoded, where it can be written again as long; None when compressed, or not
    encoded: then it is text like all others."""
    compressed: bytes | None
    """What a compressed payload says."""
    signature: bytes
    """Without it the token opens nothing."""
    more: tuple[bytes, ...] = ()
    """What else in it may open something."""


def parts_of(value: bytes) -> Parts | None:
    """Return the parts of a JWT, a signed cookie or a cursor, None for anything else."""
    match = _JWT.fullmatch(value)
    if match is not None:
        says = _decoded(match[2])
        # A session of Flask's looks alike: in the middle is the time at which it was signed.
        if says is not None and says[:1] == b"{":
            return Parts(match[2], says, None, match[3])
        if _SIGNED.fullmatch(value) is None:
            is_none = says is None or len(match[3]) < _LEAST_SIGNATURE
            return None if is_none else Parts(match[2], says, None, match[3])
    match = _CURSOR.fullmatch(value)
    if match is not None:
        return _cursor(match[1])
    match = _NAKED.fullmatch(value) or _TIMED.fullmatch(value) or _STAMPED.fullmatch(value)
    if match is not None:
        return Parts(match[1], None, None, match[2])
    match = _SAID.fullmatch(value)
    if match is not None and _is_json(match[1]):
        return Parts(match[1], None, None, match[2])
    match = _SIGNED.fullmatch(value)
    if match is None:
        return None
    payload, signature = match[1], match[2]
    says = _decoded(payload.removeprefix(b".").translate(TO_URL))
    if says is None:
        return None
    if payload.startswith(b"."):
        try:
            inflated = zlib.decompressobj().decompress(says, _LIMIT)
        except zlib.error:
            return None
        return Parts(payload, None, inflated, signature)
    if says[:1] not in (b"{", b"[", b'"'):
        return None
    return Parts(payload, says, None, signature)


def _cursor(text: bytes) -> Parts | None:
    """Return the parts of JSON in base64, a place in a list or a key: what is drawn in it."""
    says = _decoded(text.translate(TO_URL))
    opaque = _OPAQUE.findall(says) if says is not None else []
    return Parts(text, says, None, opaque[0], tuple(opaque[1:])) if opaque else None


def encoded_json(text: bytes, places: Iterable[int]) -> Iterator[tuple[bytes, bytes]]:
    """Yield (JSON in base64, decoded) where it stands in a text.

    Args:
        text: any.
        places: where its first letters stand, in whatever case.
    """
    for place in places:
        match = _ENCODED.match(text, place)
        says = _decoded(match[0].translate(TO_URL)) if match is not None else None
        if match is not None and says is not None and _is_json(says):
            yield match[0], says


def signed_parts(value: bytes) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]] | None:
    """Return an id and its signature, each with what follows it; None for anything else."""
    match = _ID_SIGNED.fullmatch(value)
    return None if match is None else ((match[1], match[2]), (match[3], b""))


def digest_of(value: bytes) -> bytes:
    """Return the digest in the hash of a password, b"" for anything else.

    Its method, its cost and its salt are no secrets: by them a password is checked.
    """
    match = _PASSWORD_HASH.fullmatch(value)
    return (match[1] or match[2] or match[3]) if match is not None else b""


def plain_digest(text: bytes) -> bytes:
    """Return the bytes of a digest in hex or in base64, b"" for anything else."""
    if len(text) in _HEX_DIGESTS and _HEX.fullmatch(text):
        return bytes.fromhex(text.decode())
    plain = _decoded(text.rstrip(b"=").translate(TO_URL)) or b""
    return plain if 2 * len(plain) in _HEX_DIGESTS else b""


def opened(text: bytes) -> bytes:
    """Return a text with what its signed cookies say in the place of what is compressed there.

    Two such may say the same but for what is masked, and have other lengths.
    """
    return _PACKED.sub(_inflated, text)


def _inflated(match: re.Match[bytes]) -> bytes:
    raw = _decoded(match[1])
    try:
        return match[0] if raw is None else zlib.decompressobj().decompress(raw, _LIMIT)
    except zlib.error:
        return match[0]


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _decoded(text: bytes) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=") == text else None
