"""JSON in texts: the documents that stand in a body, a message or an answer, whole or cut off.

A document begins where the text does, or a line, or after `data:` of a stream of events, or
where the one before it has ended.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from retrace_core.redaction.json_path import Number

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Document", "documents", "written"]

_BEGIN = re.compile(r"(?:\A\ufeff?|[\r\n])(?:data:)?[ \t\r\n]*(?=[\[{])")
_NEXT = re.compile(r"[ \t\r\n,]*(?=[\[{])")
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*(?P<closed>")?|[\[\]{},:]|[^\s"\[\]{},:]+', re.DOTALL)
_BARE = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_decoder = json.JSONDecoder(
    object_pairs_hook=cast("Any", tuple), parse_int=Number, parse_float=Number
)


class Document(NamedTuple):
    """One document."""

    value: Any
    """Objects are tuples of (name, value), numbers are `Number`."""
    text: str
    """As it stands there."""


def documents(data: bytes) -> Iterator[Document]:
    """Yield the documents in a text; of one that is cut off what is there.

    Raises:
        ValueError: one is nested too deep to be looked at.
    """
    text = data.decode("utf-8", "surrogateescape")
    match = _BEGIN.search(text)
    while match is not None:
        begin = match.end()
        try:
            value, end = _decoder.raw_decode(text, begin)
            yield Document(value, text[begin:end])
        except json.JSONDecodeError as error:
            is_open = error.msg.startswith("Unterminated")
            there = text[begin:] if is_open else text[begin : error.pos]
            value = _completed(there)
            if value is not None:
                yield Document(value, there)
            if is_open:
                return
            end = max(error.pos, begin + 1)
            match = _BEGIN.search(text, end)
            continue
        except RecursionError:
            raise ValueError("a JSON document is nested too deep to be masked") from None
        match = _NEXT.match(text, end) or _BEGIN.search(text, end)


def _completed(text: str) -> Any:
    """Return what is there of a document that is cut off, None for nothing."""
    closers: list[str] = []
    whole = 0
    after_colon = False
    for match in _PIECE.finditer(text):
        piece = match[0]
        if piece in "[{":
            closers.append("]" if piece == "[" else "}")
            whole, after_colon = match.end(), False
        elif piece in "]}":
            if closers:
                closers.pop()
            whole, after_colon = match.end(), False
        elif piece in ",:":
            after_colon = piece == ":"
        elif closers and (closers[-1] == "]" or after_colon):
            after_colon = False
            if piece[0] == '"' and not match["closed"]:
                text, whole = _HALF_ESCAPE.sub("", text) + '"', len(text) + 1
                break
            if piece[0] == '"' or _BARE.fullmatch(piece):
                whole = match.end()
    try:
        return _decoder.raw_decode(text[:whole] + "".join(reversed(closers)))[0]
    except ValueError:
        return None


def written(document: Document) -> dict[str, set[bytes]]:
    """Return the strings of a document that are written with escapes -> how."""
    found: dict[str, set[bytes]] = {}
    if "\\" not in document.text:
        return found
    for match in _STRING.finditer(document.text):
        if "\\" in match[1]:
            try:
                plain = json.loads(match[0])
            except ValueError:
                continue
            raw = match[1].encode("utf-8", "surrogateescape")
            found.setdefault(plain, set()).add(raw)
    return found
