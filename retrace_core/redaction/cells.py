"""Cells: one value of a row each, as recorded, and how its pseudonym is written there.

PostgreSQL's values are text, or binary by their type. Types whose values can't be made up
(truth, times of day, networks, ...) are left.

Source: PostgreSQL 15, `pg_type.dat` for the numbers of types, `src/backend/utils/adt` for the
binary forms.
"""

from __future__ import annotations

import datetime
import functools
import re
import struct
import uuid
from typing import TYPE_CHECKING, NamedTuple

from retrace_core.codec import decode
from retrace_core.redaction.messagepack import token_at
from retrace_core.redaction.numerals import is_numeral
from retrace_core.redaction.tokens import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Cell", "parameter_cell", "postgresql_cell", "text_cell", "value_cell"]

_BYTEA, _UUID, _JSONB, _DATE, _FLOAT8 = 17, 2950, 3802, 1082, 701
_INTEGERS = {21: 2, 23: 4, 20: 8}
"""Type -> how many bytes."""
_TEXTS = frozenset((18, 19, 25, 114, 142, 1009, 1015, 1042, 1043))
_NUMERALS = frozenset((*_INTEGERS, 700, _FLOAT8, 1700, _DATE, 1114, 1184))
_CONTROL = re.compile(rb"[\x00-\x1f]")
_OF_THE_USER = 16384
"""Types from here on are of extensions, like citext."""
_FIRST_DAY = datetime.date(2000, 1, 1).toordinal()


class Cell(NamedTuple):
    """One value of a secret column."""

    column: str
    begin: int
    end: int
    """Where it stands."""
    text: str
    """What it is, as text."""
    is_number: bool = False
    pack: Callable[[str], bytes] | None = None
    """Writes a pseudonym as it is written there; None for text."""


def text_cell(data: bytes, column: str, begin: int, end: int) -> Cell:
    """Return a cell that stands there as text."""
    return Cell(column, begin, end, data[begin:end].decode("utf-8", "surrogateescape"))


def value_cell(data: bytes, column: str, begin: int, end: int) -> Cell | None:
    """Return a cell that stands there as a value of ours; None for one that is left."""
    token = token_at(data, begin)
    if token.kind == "text":
        return text_cell(data, column, token.begin, token.end)
    value = decode(data[begin:end])
    if type(value) is tuple and len(value) == 2:  # what a converter of sqlite3 is to make
        first = token_at(data, token_at(data, token.begin).begin)
        inner = token_at(data, first.end)
        return text_cell(data, column, inner.begin, inner.end) if inner.kind == "text" else None
    if type(value) in (int, float) or type(value) is datetime.date:
        return Cell(column, begin, end, str(value), is_number=True)
    return None


def parameter_cell(data: bytes, begin: int, end: int) -> Cell:
    """Return a parameter of a statement; psycopg sends numbers as bytes.

    Args:
        data: in which it stands.
        begin, end: of its text, or of its number.
    """
    head = data[begin] if end > begin else 0
    if 0xCC <= head <= 0xD3 and end - begin == 1 + (1 << ((head - 0xCC) & 3)):
        return Cell("column", begin, end, str(decode(data[begin:end])), is_number=True)
    if end - begin in _INTEGER_PACKERS and _CONTROL.search(data, begin, end):
        text = str(int.from_bytes(data[begin:end], "big", signed=True))
        return Cell("column", begin, end, text, True, _INTEGER_PACKERS[end - begin])
    return text_cell(data, "column", begin, end)


def postgresql_cell(
    data: bytes, column: str, begin: int, end: int, kind: int, *, binary: bool
) -> Cell | None:
    """Return a cell as the server sent it; None for one that is left.

    Args:
        data: in which it stands.
        column: its name.
        begin, end: of it.
        kind: number of its type.
        binary: as text otherwise.
    """
    if kind in _TEXTS or (kind >= _OF_THE_USER and not binary):
        return text_cell(data, column, begin, end)
    if kind == _JSONB:
        return text_cell(data, column, begin + binary, end)
    if kind == _BYTEA:
        return (
            text_cell(data, column, begin, end) if binary else _hex_cell(data, column, begin, end)
        )
    if not binary:
        cell = text_cell(data, column, begin, end)
        is_known = kind == _UUID or (kind in _NUMERALS and is_numeral(cell.text))
        return cell._replace(is_number=kind in _NUMERALS) if is_known else None
    return _binary_cell(data, column, begin, end, kind)


def _hex_cell(data: bytes, column: str, begin: int, end: int) -> Cell:
    """Return one of bytes, which PostgreSQL's text writes in hex after two characters.

    Of a password's hash among them (as sqlalchemy-utils keeps it) the digest alone is masked, and
    its forms in hex with it: by what is before the digest the hash is known as one.
    """
    cell = text_cell(data, column, begin + 2, end)
    try:
        plain = bytes.fromhex(cell.text)
    except ValueError:
        return cell
    return (
        cell._replace(text=plain.decode("utf-8", "surrogateescape")) if digest_of(plain) else cell
    )


def _binary_cell(data: bytes, column: str, begin: int, end: int, kind: int) -> Cell | None:
    raw = data[begin:end]
    pack: Callable[[str], bytes]
    if kind in _INTEGERS and len(raw) == _INTEGERS[kind]:
        text, pack = str(int.from_bytes(raw, "big", signed=True)), _INTEGER_PACKERS[len(raw)]
    elif kind == _FLOAT8 and len(raw) == 8:
        text, pack = str(struct.unpack("!d", raw)[0]), _packed_float
    elif kind == _DATE and len(raw) == 4:
        number = int.from_bytes(raw, "big", signed=True) + _FIRST_DAY
        if not 1 <= number <= datetime.date.max.toordinal():
            return None
        text, pack = datetime.date.fromordinal(number).isoformat(), _packed_day
    elif kind == _UUID and len(raw) == 16:
        return Cell(column, begin, end, str(uuid.UUID(bytes=raw)), pack=_packed_uuid)
    else:
        return None
    return Cell(column, begin, end, text, True, pack) if is_numeral(text) else None


def _packed_integer(size: int, made: str) -> bytes:
    return int(made).to_bytes(size, "big", signed=True)


def _packed_float(made: str) -> bytes:
    return struct.pack("!d", float(made))


def _packed_uuid(made: str) -> bytes:
    return uuid.UUID(made).bytes


def _packed_day(made: str) -> bytes:
    number = datetime.date.fromisoformat(made).toordinal() - _FIRST_DAY
    return number.to_bytes(4, "big", signed=True)


_INTEGER_PACKERS = {size: functools.partial(_packed_integer, size) for size in (2, 4, 8)}
