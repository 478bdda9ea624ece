"""Forms: in which other shapes a secret may stand in a recording, each with its pseudonym's.

Written as a part of a URL, in JSON, in HTML, in base64 or hex; decoded to bytes, as it was drawn
from the system's entropy; and its common digests, by which code looks a token up. All are as
long for the pseudonym as for the secret, so that a replay comes by the same way to the same.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus
from uuid import UUID

from retrace_core.redaction.base64_text import BASE64, TO_URL, altchars_of
from retrace_core.redaction.numerals import spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "digest_forms",
    "digested_alike",
    "escaped_alike",
    "forms_of",
    "hashed_forms",
    "percent_decoded",
    "written_alike",
    "written_forms",
]

_DERIVED_FROM = 6
"""From so many characters on, digests and the like are looked for: shorter ones are too common."""
_UUID_SIZE = 16
_VERSIONS = {16: 3, 20: 5}
"""How many bytes the digests of MD5 and SHA-1 are -> which version of UUID is made of them."""
_CUTS = (40, 32, 24, 20, 16, 12, 10, 8, 7)
"""Seven digits are how Git and all that show its commits call one."""
_FIRST_BYTES = 12
"""Of so many, Flask-Caching makes a key of a cache, sixteen characters of base64."""
_HEX = re.compile(r"(?:[0-9a-f]{2}){8,}|(?:[0-9A-F]{2}){8,}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_UNCHANGED = re.compile(r"[A-Za-z0-9_.~-]*")
"""Text that is written everywhere as it is."""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _url_base64(data: bytes) -> bytes:
    return _base64(data).translate(TO_URL)


def _base64(data: bytes) -> bytes:
    return binascii.b2a_base64(data, newline=False).rstrip(b"=")


def _base32(data: bytes) -> bytes:
    return base64.b32encode(data).rstrip(b"=")


def _json_ascii(text: str) -> bytes:
    return json.dumps(text)[1:-1].encode()


def _json(text: str) -> bytes:
    return _bytes(json.dumps(text, ensure_ascii=False)[1:-1])


_WRITTEN: tuple[Callable[[str], bytes], ...] = (
    _bytes,
    _json_ascii,
    _json,
    lambda text: quote(_bytes(text), safe="").encode(),
    lambda text: quote(_bytes(text)).encode(),
    lambda text: quote_plus(_bytes(text)).encode(),
    lambda text: _bytes(html.escape(text)),
)
_DERIVED: tuple[Callable[[str], bytes], ...] = (
    lambda text: _base64(_bytes(text)),
    lambda text: _url_base64(_bytes(text)),
    lambda text: _bytes(text).hex().encode(),
)

_ENCODED: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: data.hex().encode(),
    _base64,
    _url_base64,
)
_DIGESTS: tuple[Callable[..., Any], ...] = (
    hashlib.md5,
    hashlib.sha1,
    hashlib.sha256,
    hashlib.sha512,
)


def forms_of(text: str, pseudonym: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield (form of a secret, the same of its pseudonym), the plain one first."""
    yield from written_forms(text, pseudonym)
    yield from zip(hashed_forms(text), hashed_forms(pseudonym), strict=True)


def written_forms(text: str, pseudonym: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield those of `forms_of` that the secret can be read from."""
    if _UNCHANGED.fullmatch(text) and _UNCHANGED.fullmatch(pseudonym):
        yield text.encode(), pseudonym.encode()
    else:
        for write in _WRITTEN:
            yield write(text), write(pseudonym)
    for other, masked in spelled(text, pseudonym):
        yield _bytes(other), _bytes(masked)
    if "@" in text:
        yield from _by_number(text, pseudonym)
    if len(text) < _DERIVED_FROM:
        return
    for write in _DERIVED:
        yield write(text), write(pseudonym)
    if text.isascii():
        for case in (str.lower, str.upper):
            yield _bytes(case(text)), _bytes(case(pseudonym))
    raw, masked_raw = _decoded(text), _decoded(pseudonym)
    if raw is not None and masked_raw is not None:
        yield raw, masked_raw
        for encode in _ENCODED:
            yield encode(raw), encode(masked_raw)
    if _UUID.fullmatch(text):
        bare = (text.replace("-", ""), pseudonym.replace("-", ""))
        yield _bytes(bare[0]), _bytes(bare[1])


def _by_number(text: str, pseudonym: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield an address as pages hide it from collectors: each character by its number.

    In decimals a, b and c have two digits, all other letters three: there others of the same size
    stand for it, and a replay, which writes the pseudonym, may come out longer or shorter.
    """
    if not (text.isascii() and len(text) == len(pseudonym)):
        return
    sized = "".join(map(_as_many_digits, text, pseudonym))
    yield _numbers("&#{};", text), _numbers("&#{};", sized)
    yield _numbers("&#x{:x};", text), _numbers("&#x{:x};", pseudonym)


def _numbers(form: str, text: str) -> bytes:
    return "".join(form.format(ord(one)) for one in text).encode()


def _as_many_digits(was: str, now: str) -> str:
    if (ord(was) < 100) == (ord(now) < 100):
        return now
    return chr(ord("a") + ord(now) % 3) if ord(was) < 100 else chr(ord("d") + ord(now) % 23)


def hashed_forms(text: str) -> list[bytes]:
    """Return those of `forms_of` that are digests of a text: always as many, and as long."""
    if len(text) < _DERIVED_FROM:
        return []
    plain, found = _bytes(text), list[bytes]()
    for hashed in _DIGESTS:
        digest: bytes = hashed(plain, usedforsecurity=False).digest()
        base64 = _base64(digest)
        found += digest, digest.hex().encode(), base64, base64.translate(TO_URL)
    return found


def digested_alike(text: str, pseudonym: str, form: bytes) -> bytes:
    """Return the same of a pseudonym that one of the `hashed_forms` is of a text."""
    return hashed_forms(pseudonym)[hashed_forms(text).index(form)]


def digest_forms(digest: bytes, pseudonym: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (form of a digest, the same of its pseudonym).

    In hex and base64 it is also cut to usual lengths, and the beginning of it is made a UUID, or
    the names of folders, as in stores of content, Git's say. In base32 stands the hash of a mail's
    id, by which archives of mailing lists know it.
    """
    yield digest, pseudonym
    was, now = digest.hex().encode(), pseudonym.hex().encode()
    if len(digest) >= _UUID_SIZE:
        for cut in (_one_folder, _two_folders):
            yield cut(was), cut(now)
    for length in (len(was), *(cut for cut in _CUTS if cut < len(was))):
        yield was[:length], now[:length]
        yield was[:length].upper(), now[:length].upper()
    for encode in (_base64, _url_base64):
        yield encode(digest), encode(pseudonym)
        if len(digest) > _FIRST_BYTES:
            yield encode(digest[:_FIRST_BYTES]), encode(pseudonym[:_FIRST_BYTES])
    if len(digest) >= _UUID_SIZE:
        was, now = _base32(digest), _base32(pseudonym)
        yield was, now
        yield was.lower(), now.lower()
    if len(digest) >= _UUID_SIZE:
        yield from _uuids(digest[:_UUID_SIZE], pseudonym[:_UUID_SIZE], _VERSIONS.get(len(digest)))


def _one_folder(name: bytes) -> bytes:
    return name[:2] + b"/" + name[2:]


def _two_folders(name: bytes) -> bytes:
    return name[:2] + b"/" + _one_folder(name[2:])


def _uuids(digest: bytes, pseudonym: bytes, version: int | None) -> Iterator[tuple[bytes, bytes]]:
    """Yield the UUIDs of a digest's beginning: as it is, and as one of a version.

    `uuid.uuid5` and `uuid.uuid3` make such of a name, and code of its own does the like. One of a
    version comes first: of 64 digests one has the bits of it already.
    """
    for one in (version or 4, None):
        was, now = UUID(bytes=digest, version=one), UUID(bytes=pseudonym, version=one)
        yield str(was).encode(), str(now).encode()
        yield was.hex.encode(), now.hex.encode()
        yield was.bytes, now.bytes


def _decoded(text: str) -> bytes | None:
    """Return the bytes that a token is the hex or base64 of, if it is that."""
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    if _UUID.fullmatch(text):
        return bytes.fromhex(text.replace("-", ""))
    if BASE64.fullmatch(text):
        altchars = altchars_of(text)
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars)
        except (binascii.Error, ValueError):
            return None
        return raw if base64.b64encode(raw, altchars).decode()[: len(text)] == text else None
    return None


def percent_decoded(value: bytes) -> bytes:
    """Return a value of a form or a query as the application gets it."""
    if b"%" not in value and b"+" not in value:
        return value
    spaced = value.replace(b"+", b" ")
    return _ESCAPE.sub(lambda match: bytes((int(match[0][1:], 16),)), spaced)


def written_alike(value: bytes, text: str, pseudonym: str) -> bytes | None:
    """Return a pseudonym in the percent encoding of a value, None where it can't be found out.

    Args:
        value: as it stands in a form or a query.
        text: it decoded.
        pseudonym: of that.
    """
    safe = "".join({chr(byte) for byte in _ESCAPE.sub(b"", value) if byte < 0x80} - {"%", "+"})
    for write in quote_plus, quote:
        for case in (str, _lower_escapes):
            if case(write(_bytes(text), safe=safe)).encode() == value:
                return case(write(_bytes(pseudonym), safe=safe)).encode()
    return None


_JSON_PIECE = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL)


def escaped_alike(raw: str, text: str, pseudonym: str) -> str | None:
    """Return a pseudonym with the escapes of JSON where a value has them, None where it can't be.

    Args:
        raw: as it stands in JSON, without quotes.
        text: it decoded.
        pseudonym: of that.
    """
    pieces: list[str] = _JSON_PIECE.findall(raw)
    if len(pieces) != len(text) or len(text) != len(pseudonym):
        return None  # a pair of escapes for one character
    made: list[str] = []
    for piece, was, now in zip(pieces, text, pseudonym, strict=True):
        if was == now:
            made.append(piece)
        elif piece.startswith("\\u"):
            digits = f"{ord(now):04x}"
            made.append("\\u" + (digits.upper() if piece[2:] == piece[2:].upper() else digits))
        else:
            made.append(now)
    return "".join(made)


def _lower_escapes(text: str) -> str:
    return _ESCAPE.sub(lambda match: match[0].lower(), text.encode()).decode()
