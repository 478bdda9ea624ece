"""Deciphered: what is recorded of something that was decrypted, so that it is masked.

Whoever encrypted it holds it to be too secret for a database. So of a text all of it is masked, and
of a document (JSON, MessagePack) whatever stands in it that may say something of somebody: what
code reads a part of keeps its form. The masks are consistent with all else in the recording, as of
any secret. Of a plain word, and of bytes that are neither, the size is kept alone, and a replay
whose key can't decrypt it makes something up: code compares words with its own, so that they
can't be masked everywhere, and bytes may be a key.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import msgspec

from retrace_core.crypto.checking import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["kept", "made_up", "shown"]

_CONTENT, _SECRETS, _PADDING, _SIZE, _WORD = "content", "secrets", "padding", "size", "word"
_LARGEST, _LARGEST_TEXT = 64 * 1024, 8 * 1024
"""What has more bytes is not kept."""
_PADDED = re.compile(rb"(?s)(?P<by>[\x01-\x10])(?P=by)*\Z")
_TEXT = re.compile(
    rb"(?=.{0,8000}[0-9A-Z@])[^\0-\x08\x0e-\x1f]{6,}|[^\0-\x1f]{10,} [^\0-\x1f]{10,}", re.S
)
"""What may be masked as a whole: no plain word, which code may compare with one of its own."""
_EMPTY = re.compile(rb"(?i)(?:\{\}|\[\]|\"\"|null|none|true|false|[01])?[*\0-\x20]*")
"""What a column that is encrypted holds where there is nothing, with whatever fills it up."""
_CONTROLS = re.compile(rb"[\0-\x08\x0e-\x1f]")
_DOCUMENT = re.compile(rb"\s*[\[{]")
_MARKUP = re.compile(rb"\s*<")
_UUID = r"(?i:[0-9a-f]{8}(-?)[0-9a-f]{4}\1[147][0-9a-f]{3}\1[89ab][0-9a-f]{3}\1[0-9a-f]{12})"
_SAYS_NOTHING = re.compile(
    rf"{_UUID}|[^0-9A-Z@]*|(?s:.{{0,7}})|[a-z]+://.*|\d{{4}}-\d\d-\d\d[T ]?[0-9:.+Z-]*"
)
"""Parts of a document that are left to the rules that find secrets anywhere: ids, by which other
requests know the same in the clear, words, addresses of which code takes the parts, and moments
that it compares with now."""
_PACKED = re.compile(rb"[\x80-\x9f\xdc-\xdf]")
"""How an array or a map begins in MessagePack."""
_LEAST_IN_PACKED, _LARGEST_IN_PACKED = 4, 64
_packed: Any = msgspec.msgpack.Decoder()


def kept(plain: bytes) -> object:
    """Return what is recorded of something that was decrypted."""
    if _EMPTY.fullmatch(plain) is not None:
        return plain
    if len(plain) > _LARGEST:
        return None
    padded = _PADDED.search(plain)
    padding = padded[0] if padded is not None and padded[0][0] == len(padded[0]) else b""
    text = plain[: len(plain) - len(padding)]
    found = _json(text) if _DOCUMENT.match(text) else _message(plain) or _message(text)
    if found is not None:
        return {_CONTENT: plain, _SECRETS: [{SECRET: one} for one in found]}
    is_text = not _CONTROLS.search(text) and _decodes(text)
    if not is_text or len(text) > _LARGEST_TEXT or _MARKUP.match(text) or not _TEXT.fullmatch(text):
        return {_SIZE: len(text), _WORD: is_text, _PADDING: padding}
    return {SECRET: text, _PADDING: padding}


def made_up(recorded: Any, given: bytes) -> bytes | None:
    """Return something of the size that `kept` had kept; None where it had not.

    Args:
        recorded: by `kept`.
        given: what was encrypted; the same gives the same.
    """
    if not isinstance(recorded, dict) or _SIZE not in recorded:
        return None
    drawn = hashlib.shake_256(given).digest(recorded[_SIZE])
    if recorded[_WORD]:
        drawn = bytes(ord("a") + one % 26 for one in drawn)
    return drawn + bytes(recorded[_PADDING])


def shown(recorded: Any) -> bytes | None:
    """Return what a replay gives for what `kept` had returned; None where the key decides."""
    if isinstance(recorded, dict):
        if _CONTENT in recorded:
            return bytes(recorded[_CONTENT])
        if SECRET in recorded:
            return bytes(recorded[SECRET]) + bytes(recorded[_PADDING])
        return None
    return recorded if isinstance(recorded, bytes) else None


def _decodes(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _json(text: bytes) -> list[str] | None:
    """Return what is to be masked in a document of JSON; None for what is none."""
    try:
        return sorted({leaf for leaf in _leaves(json.loads(text)) if _says_something(leaf)})
    except (ValueError, RecursionError):
        return None


def _message(data: bytes) -> list[str] | None:
    """Return the same of MessagePack, of bytes as hex; None also where they may be a key."""
    if not _PACKED.match(data):
        return None
    try:
        leaves = list(_leaves(_packed.decode(data)))
    except (ValueError, RecursionError, TypeError):
        return None
    sizes = [len(leaf) for leaf in leaves if isinstance(leaf, bytes)]
    if max(map(len, leaves), default=0) < _LEAST_IN_PACKED:
        return None  # bytes that happen to read so
    if max(sizes, default=0) > _LARGEST_IN_PACKED:
        return None
    texts = {leaf for leaf in leaves if _says_something(leaf)}
    raw = [
        leaf.hex() for leaf in leaves if isinstance(leaf, bytes) and len(leaf) >= _LEAST_IN_PACKED
    ]
    return sorted(texts | {leaf for leaf in raw if _says_something(leaf)})


def _says_something(text: str | bytes) -> bool:
    return isinstance(text, str) and _SAYS_NOTHING.fullmatch(text) is None


def _leaves(value: Any) -> Iterator[Any]:
    """Yield the texts and bytes that are values in a document."""
    if isinstance(value, str | bytes):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one)
