"""Row packets: cells in what MySQL's server sends, as PyMySQL and aiomysql recorded it.

Source: MySQL 8.0 internals manual, "Client/Server Protocol": text result set, column
definition 41, length-encoded integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.redaction.cells import text_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retrace_core.redaction.cells import Cell

__all__ = ["PacketRows"]

_NULL = 0xFB
_OK, _EOF, _ERROR = 0x00, 0xFE, 0xFF
_WIDTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}
_NAME, _OWN_NAME = 4, 5


class PacketRows:
    """The rows of one lane's answers; those of a result may come in several.

    Args:
        is_secret: says it of a column's name.
    """

    def __init__(self, is_secret: Callable[[str], bool]) -> None:
        self._is_secret = is_secret
        self._columns: list[str] = []
        """"" for a column that is none."""

    def cells(self, data: bytes, begin: int, end: int) -> Iterator[Cell]:
        """Yield the cells of secret columns in the packets of one answer."""
        packets = list(_packets(data, begin, end))
        place = 0
        while place < len(packets):
            first, last = packets[place]
            if self._columns and _strings(data, first, last, len(self._columns)) is not None:
                yield from self._row(data, first, last)
            elif 0 < data[first] < _NULL and last - first == 1:
                count = data[first]
                self._columns = [
                    self._column(data, *packet) for packet in packets[place + 1 : place + 1 + count]
                ]
                place += count
            place += 1

    def _row(self, data: bytes, begin: int, end: int) -> Iterator[Cell]:
        found = _strings(data, begin, end, len(self._columns)) or []
        for column, span in zip(self._columns, found, strict=True):
            if column and span is not None:
                yield text_cell(data, column, *span)

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
