"""From code: the true texts of pseudonyms, where they stand in the code that is replayed."""

from __future__ import annotations

import base64
import binascii
import os
import re
import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from retrace_core.code_literals import LEAST, file_of, literals
from retrace_core.redaction.forms import forms_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

    from retrace_core.recording import OfCode

__all__ = ["true_texts", "with_credentials"]

_ESCAPED = re.compile(rb"%[0-9A-Fa-f]{2}|.", re.DOTALL)
"""A byte as it stands in a query (RFC 3986, 2.1)."""
_SPACE = 0x20


def true_texts(places: Sequence[OfCode]) -> dict[bytes, bytes]:
    """Return pseudonym -> the text that it stands for, in each way in which it may be written.

    Where the code was changed meanwhile, some may not be found.
    """
    found: dict[bytes, bytes] = {}
    for one in places:
        for text, number in literals(_source(one.module)):
            if number == one.number and len(text) == one.length:
                found.update(_written(one.mask, text))
    return found


def with_credentials(value: str, told: Callable[[bytes], bytes]) -> str:
    """Return a header's value with what is said behind `Basic` as `told` says it (RFC 7617)."""
    scheme, space, coded = value.partition(" ")
    if scheme.lower() != "basic":
        return value
    try:
        plain = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        return value
    now = told(plain)
    return value if now == plain else scheme + space + base64.b64encode(now).decode()


def _written(mask: bytes, text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each form of a pseudonym, with the same form of the true text."""
    parts = _ESCAPED.findall(mask) if len(mask) != len(text) else [bytes((one,)) for one in mask]
    if len(parts) != len(text):
        return
    plain = b"".join(map(_unescaped, parts, text))
    if plain != mask:
        yield mask, b"".join(map(_alike, parts, text))
    for now, was in forms_of(_text(text), _text(plain)):
        if len(was) == len(now) >= LEAST:
            yield was, now


def _unescaped(part: bytes, byte: int) -> bytes:
    return b" " if part == b"+" and byte == _SPACE else unquote_to_bytes(part)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _alike(part: bytes, byte: int) -> bytes:
    if len(part) > 1:
        return b"%%%02x" % byte if part.lower() == part else b"%%%02X" % byte
    return b"+" if part == b"+" and byte == _SPACE else bytes((byte,))


def _source(name: str) -> bytes:
    file = file_of(_module(name))
    if not file.endswith(".py"):
        return b""
    try:
        with open(file, "rb") as source:
            return source.read()
    except OSError:
        return b""


def _module(name: str) -> ModuleType | None:
    found = sys.modules.get(name)
    if found is not None:
        return found
    main = sys.modules.get("__main__")
    stem = os.path.basename(getattr(main, "__file__", None) or "").removesuffix(".py")
    return main if stem == name else None
