"""Boot texts: what a start-up got that nothing tells to be a secret, by where it is on its tape.

A line of a settings file without a name, a token that was drawn: a request may bring it
later, and say by where it stands that it is one. By then the boot tape is written.
"""

from __future__ import annotations

import base64
import re
import uuid
from typing import TYPE_CHECKING, NamedTuple

from retrace_core import native
from retrace_core.drawn_text import ALPHABETS, drawn_text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LEAST", "BootText", "drawn_in", "text_at", "texts_in"]

LEAST = 8
"""A shorter text may be a secret, but stands somewhere by chance."""
_MOST = 128
_LONG = 20
"""So long a word is no word of a language."""
_LARGEST = 256 * 1024
"""A larger text is no file of settings."""
_WORD = re.compile(rb"[!#-&*-+\--:=?-Z^-z|~]{8,512}")
"""Neither blanks nor quotes, brackets, commas, semicolons: they stand around values."""
_VALUE = re.compile(rb"[=:](?=[^=:/])")
_DRAWN = range(12, 65)
"""How many bytes are drawn for a token."""
_UUID = 16
_ONE_BYTE = b"\xc4\x01"
_FROM = "drawn from "
_FORMS = ("", "hex", "base64url", "base64", "uuid", "uuid hex")


class BootText(NamedTuple):
    """Such a text, and where it stands."""

    text: bytes
    place: int
    """In the encoded events of its lane, in bytes."""
    size: int
    """Of what stands there, in bytes."""
    form: str
    """How that is written here: "" as it is, "hex", "base64url" (unpadded), "base64",
    "uuid", "uuid hex"; "drawn from ..." by a byte for each character, in which case the place is
    the number of its first one in all that was drawn so."""


def texts_in(data: bytes) -> Iterator[BootText]:
    """Yield those of one lane: words with letters and digits, long ones, and bytes in some form.

    Args:
        data: its encoded events.
    """
    for begin, end, _ in native.texts_at(data, 0, len(data), None):
        if end - begin in _DRAWN and not data[begin:end].isascii():
            for form in _FORMS[1:]:
                text = _written(data[begin:end], form)
                if text:
                    yield BootText(text, begin, end - begin, form)
        elif LEAST <= end - begin <= _LARGEST:
            yield from _words(data, begin, end)


def drawn_in(data: bytes) -> Iterator[BootText]:
    """Yield all that was drawn character by character in a lane, from each alphabet.

    A token is some part of one.

    Args:
        data: its encoded events.
    """
    drawn = _single_bytes(data)
    for alphabet in ALPHABETS if len(drawn) >= LEAST else ():
        text, _ = drawn_text(drawn, alphabet)
        yield BootText(text, 0, len(text), _FROM + alphabet.decode())


def text_at(data: bytes, place: int, size: int, form: str) -> bytes:
    """Return the text at a place, as `texts_in` and `drawn_in` tell it; b"" for none."""
    if form.startswith(_FROM):
        text, _ = drawn_text(_single_bytes(data), form.removeprefix(_FROM).encode())
        return text[place : place + size]
    found = data[place : place + size]
    return _written(found, form) if len(found) == size else b""


def _single_bytes(data: bytes) -> bytes:
    if data.count(_ONE_BYTE) < LEAST:
        return b""
    spans = native.texts_at(data, 0, len(data), None)
    return b"".join(
        data[begin:end] for begin, end, _ in spans if data[begin - 2 : begin] == _ONE_BYTE
    )


def _words(data: bytes, begin: int, end: int) -> Iterator[BootText]:
    for match in _WORD.finditer(data, begin, end):
        first = match.start()
        for start in (first, *(cut.end() for cut in _VALUE.finditer(data, first, match.end()))):
            text = data[start : match.end()]
            if LEAST <= len(text) <= _MOST and _may_be_secret(text):
                yield BootText(text, start, len(text), "")


def _may_be_secret(text: bytes) -> bool:
    letters = any(65 <= byte & 0xDF <= 90 for byte in text)
    return letters and (len(text) >= _LONG or any(48 <= byte <= 57 for byte in text))


def _written(drawn: bytes, form: str) -> bytes:
    if form == "":
        return drawn
    if form == "hex":
        return drawn.hex().encode()
    if form == "base64":
        return base64.b64encode(drawn)
    if form == "base64url":
        return base64.urlsafe_b64encode(drawn).rstrip(b"=")
    if form in ("uuid", "uuid hex") and len(drawn) == _UUID:
        made = uuid.UUID(bytes=drawn, version=4)
        return (str(made) if form == "uuid" else made.hex).encode()
    return b""
