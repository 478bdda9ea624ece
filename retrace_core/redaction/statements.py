"""Statements: which parameters of a SQL statement go into columns whose names name secrets."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from retrace_core.redaction.messagepack import items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.redaction.names import Names

__all__ = ["is_statement", "secret_parameters"]

_STATEMENT = re.compile(
    rb"\s*(?:/\*.*?\*/\s*)?(?:INSERT|UPDATE|SELECT|DELETE|REPLACE|MERGE|WITH)\b",
    re.IGNORECASE | re.DOTALL,
)
_HOLDER = rb"(?:\?[0-9]*|%s|\$[0-9]+|(?<![:\w]):[A-Za-z_]\w*|%\([A-Za-z_]\w*\)s)"
_PIECE = re.compile(rb"'(?:[^']|'')*'|(" + _HOLDER + rb")")
_INSERT = re.compile(
    rb"(?:INSERT|REPLACE)\b[^(]*?\bINTO\s+[^\s(]+\s*\(([^()]*)\)\s*(?:OVERRIDING[^(]*)?VALUES\s*",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    rb"([A-Za-z_][\w.\"`\[\]]*)\s*(?:=|<>|!=|==|\bI?LIKE\b|\bIS\b|\bIN\s*\()\s*(?:\w+\s?\(\s?){0,3}"
    rb"(" + _HOLDER + rb")",
    re.IGNORECASE,
)
"""Also the first one of a call: `password = crypt($1, password)`."""
_QUOTES = b' \t\r\n"`[]'


def is_statement(text: bytes) -> bool:
    """Return True for what begins as SQL does."""
    return _STATEMENT.match(text) is not None


def secret_parameters(data: bytes, begin: int, end: int, names: Names) -> Iterator[tuple[int, int]]:
    """Yield (begin, end) of the texts among the parameters that are secrets.

    Args:
        data: in which the statement's parameters stand after it.
        begin, end: of the statement.
        names: says which columns are.
    """
    columns, count = _columns(data[begin:end], names)
    if not columns:
        return
    for number, item in enumerate(items(data, end)):
        if number % count in columns and item.kind in ("text", "int"):
            yield item.begin, item.end


@lru_cache(maxsize=512)
def _columns(statement: bytes, names: Names) -> tuple[frozenset[int], int]:
    """Return which placeholders, by their number from 0, are of secret columns; and their count."""
    places: dict[int, int] = {}
    for match in _PIECE.finditer(statement):
        if match[1] is None:
            continue
        given = match[1][1:] if match[1][:1] in b"$?" else b""
        number = int(given) - 1 if given.isdigit() else len(places)
        places[match.start(1)] = number
    count = max(places.values(), default=-1) + 1
    found = {
        places[match.start(2)]
        for match in _COMPARED.finditer(statement)
        if match.start(2) in places and names.is_secret(_name(match[1]))
    }
    for match in _INSERT.finditer(statement):
        listed = [names.is_secret(_name(column)) for column in match[1].split(b",")]
        for place, one in _values(statement, match.end()):
            if place in places and one < len(listed) and listed[one]:
                found.add(places[place])
    return frozenset(found), max(count, 1)


def _values(statement: bytes, place: int) -> Iterator[tuple[int, int]]:
    """Yield (place, column) of what stands in the rows of VALUES."""
    depth = column = 0
    while place < len(statement):
        piece = _PIECE.match(statement, place)
        if piece is not None:
            if depth and piece[1] is not None:
                yield place, column
            place = max(piece.end(), place + 1)
            continue
        letter = statement[place : place + 1]
        if letter == b"(":
            depth += 1
            column = 0 if depth == 1 else column
        elif letter == b")":
            depth -= 1
        elif letter == b"," and depth == 1:
            column += 1
        elif depth == 0 and letter not in b", \t\r\n":
            return
        place += 1


def _name(column: bytes) -> str:
    return column.rpartition(b".")[2].strip(_QUOTES).decode("utf-8", "replace")
