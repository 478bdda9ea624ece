"""Row packets: cells in what MySQL's server sends, as its drivers recorded it.

Source: MySQL 8.0 internals manual, "Client/Server Protocol": text and binary result set, column
definition 41, length-encoded integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.redaction.binary_row import binary_cell, binary_values
from retrace_core.redaction.cells import text_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retrace_core.redaction.cells import Cell

__all__ = ["PacketRows"]

_NULL = 0xFB
_OK, _EOF, _ERROR = 0x00, 0xFE, 0xFF
_WIDTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}
_NAME, _OWN_NAME = 4, 5
_TYPE_FROM_END = 6
"""Its type is followed by two bytes of flags, one of decimals and two of nothing."""


class PacketRows:
    """The rows of one lane's answers; those of a result may come in several.

    Args:
        is_secret: says it of a column's name.
        binary: of a statement that was prepared.
    """

    def __init__(self, is_secret: Callable[[str], bool], *, binary: bool = False) -> None:
        self._is_secret = is_secret
        self._binary = binary
        self._columns: list[str] = []
        """"" for a column that is none."""
        self._types: list[int] = []
        self._to_come = 0
        """Columns that are still to be described."""

    def cells(self, data: bytes, begin: int, end: int) -> Iterator[Cell]:
        """Yield the cells of secret columns in the packets of one answer."""
        for first, last in _packets(data, begin, end):
            if self._to_come:
                self._to_come -= 1
                self._columns.append(self._column(data, first, last))
                self._types.append(data[last - _TYPE_FROM_END] if last - first > 12 else 0)
            elif self._columns and (found := self._values(data, first, last)) is not None:
                yield from self._row(data, found)
            elif 0 < data[first] < _NULL and last - first == 1:
                self._to_come, self._columns, self._types = data[first], [], []

    def _values(self, data: bytes, begin: int, end: int) -> list[tuple[int, int] | None] | None:
        if self._binary:
            return binary_values(data, begin, end, self._types)
        return _strings(data, begin, end, len(self._columns))

    def _row(self, data: bytes, found: list[tuple[int, int] | None]) -> Iterator[Cell]:
        for column, kind, span in zip(self._columns, self._types, found, strict=True):
            if column and span is not None:
                cell = (
                    binary_cell(data, column, *span, kind)
                    if self._binary
                    else text_cell(data, column, *span)
                )
                if cell is not None:
                    yield cell

    def _column(self, data: bytes, begin: int, end: int) -> str:
        parts = _strings(data, begin, end, _OWN_NAME + 1, all_of_it=False) or []
        for span in parts[_NAME:]:
            name = data[span[0] : span[1]].decode("utf-8", "replace") if span else ""
            if name and self._is_secret(name):
                return name
        return ""


def _packets(data: bytes, place: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where the content of each packet stands."""
    while place < end:
        size = int.from_bytes(data[place : place + 3], "little")
        begin, place = place + 4, place + 4 + size
        if size and place <= end:
            yield begin, place


def _strings(
    data: bytes, place: int, end: int, count: int, *, all_of_it: bool = True
) -> list[tuple[int, int] | None] | None:
    """Return where so many strings stand, None for each NULL; None where they don't."""
    found: list[tuple[int, int] | None] = []
    for _ in range(count):
        if place >= end or data[place] == _ERROR:
            return None
        head = data[place]
        if head == _NULL:
            found.append(None)
            place += 1
            continue
        width = _WIDTHS.get(head, 0)
        size = int.from_bytes(data[place + 1 : place + 1 + width], "little") if width else head
        begin, place = place + 1 + width, place + 1 + width + size
        if place > end:
            return None
        found.append((begin, place))
    return found if place == end or not all_of_it else None
