"""Values of a row of a statement that MySQL prepared: binary, by the types of their columns.

Source: MySQL 8.0 internals manual, "Binary Protocol Resultset Row" and "Binary Protocol Value".
Types whose values can't be made up (times of day) are left.
"""

from __future__ import annotations

import datetime
import functools
import struct
from typing import TYPE_CHECKING

from retrace_core.redaction.cells import Cell, text_cell
from retrace_core.redaction.numerals import is_numeral

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["binary_cell", "binary_values"]

_TINY, _SHORT, _LONG, _FLOAT, _DOUBLE, _NULL_TYPE = 1, 2, 3, 4, 5, 6
_LONGLONG, _INT24, _YEAR = 8, 9, 13
_DATE, _TIME = 10, 11
_DATES = (7, _DATE, 12)
_SIZES = {_TINY: 1, _SHORT: 2, _LONG: 4, _FLOAT: 4, _DOUBLE: 8, _LONGLONG: 8, _INT24: 4, _YEAR: 2}
_WIDTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}


def binary_values(
    data: bytes, begin: int, end: int, types: list[int]
) -> list[tuple[int, int] | None] | None:
    """Return where the values of a row stand, None for each NULL; None where it is no row."""
    nulls = begin + 1
    place = nulls + (len(types) + 9) // 8
    if data[begin] != 0 or place > end:
        return None
    found: list[tuple[int, int] | None] = []
    for number, kind in enumerate(types, 2):
        if data[nulls + number // 8] >> (number % 8) & 1 or kind == _NULL_TYPE:
            found.append(None)
            continue
        if kind in _SIZES:
            size = _SIZES[kind]
        elif place >= end:
            return None
        else:
            head, place = data[place], place + 1
            width = _WIDTHS.get(head, 0)
            size = int.from_bytes(data[place : place + width], "little") if width else head
            place += width
        found.append((place, place + size))
        place += size
        if place > end:
            return None
    return found if place == end else None


def binary_cell(data: bytes, column: str, begin: int, end: int, kind: int) -> Cell | None:
    """Return a cell as the server sent it; None for one that is left.

    Args:
        data: in which it stands.
        column: its name.
        begin, end: of it.
        kind: number of its type.
    """
    raw = data[begin:end]
    pack: Callable[[str], bytes]
    if kind == _DOUBLE:
        text, pack = str(struct.unpack("<d", raw)[0]), _packed_float
    elif kind in _SIZES and kind != _FLOAT:
        text = str(int.from_bytes(raw, "little", signed=True))
        pack = functools.partial(_packed_integer, len(raw))
    elif kind in _DATES:
        if len(raw) < 4:
            return None
        year, month, day = struct.unpack_from("<HBB", raw)
        try:
            text = datetime.date(year, month, day).isoformat()
        except ValueError:
            return None
        pack = functools.partial(_packed_day, raw[4:])
    elif kind in (_FLOAT, _TIME):
        return None
    else:
        return text_cell(data, column, begin, end)
    return Cell(column, begin, end, text, True, pack) if is_numeral(text) else None


def _packed_integer(size: int, made: str) -> bytes:
    return int(made).to_bytes(size, "little", signed=True)


def _packed_float(made: str) -> bytes:
    return struct.pack("<d", float(made))


def _packed_day(time_of_day: bytes, made: str) -> bytes:
    day = datetime.date.fromisoformat(made)
    return struct.pack("<HBB", day.year, day.month, day.day) + time_of_day
