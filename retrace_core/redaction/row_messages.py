"""Row messages: cells in what PostgreSQL's server sends, as asyncpg recorded it.

Source: PostgreSQL 15 documentation, chapter 55.7: RowDescription (T), DataRow (D).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from retrace_core.redaction.cells import postgresql_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from retrace_core.redaction.cells import Cell

    Column = tuple[str, int, bool]
    """Name, type, whether it is binary."""

__all__ = ["message_cells"]

_NULL = 0xFFFFFFFF


def message_cells(
    data: bytes,
    begin: int,
    end: int,
    columns: Sequence[Column],
    is_secret: Callable[[str], bool],
) -> Iterator[Cell]:
    """Yield the cells of secret columns in messages.

    Args:
        data: in which the messages are.
        begin, end: of them.
        columns: of the rows, until a message describes others.
        is_secret: says it of a column's name.
    """
    secret = _secret(columns, is_secret)
    place = begin
    while place + 5 <= end:
        kind, size = data[place], int.from_bytes(data[place + 1 : place + 5], "big")
        finish = min(place + 1 + max(size, 4), end)  # the last may have been cut off
        if kind == ord("T"):
            secret = _secret(_described(data, place + 5, finish), is_secret)
        elif kind == ord("D") and secret:
            yield from _row(data, place + 5, finish, secret)
        place = finish


def _secret(columns: Sequence[Column], is_secret: Callable[[str], bool]) -> dict[int, Column]:
    return {place: column for place, column in enumerate(columns) if is_secret(column[0])}


def _described(data: bytes, place: int, end: int) -> list[Column]:
    found: list[Column] = []
    count = int.from_bytes(data[place : place + 2], "big")
    place += 2
    for _ in range(count):
        finish = data.find(b"\0", place, end)
        if finish < 0 or finish + 19 > end:
            break
        name = data[place:finish].decode("utf-8", "replace")
        _, _, kind, _, _, form = struct.unpack_from("!IhIhih", data, finish + 1)
        found.append((name, kind, form == 1))
        place = finish + 1 + 18
    return found


def _row(data: bytes, place: int, end: int, secret: dict[int, Column]) -> Iterator[Cell]:
    count = int.from_bytes(data[place : place + 2], "big")
    place += 2
    for number in range(count):
        if place + 4 > end:
            return
        size = int.from_bytes(data[place : place + 4], "big")
        place += 4
        if size == _NULL:
            continue
        size = min(size, end - place)
        if number in secret:
            name, kind, binary = secret[number]
            cell = postgresql_cell(data, name, place, place + size, kind, binary=binary)
            if cell is not None:
                yield cell
        place += size
