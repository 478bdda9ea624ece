"""Rows: the values of result columns whose names name secrets, of all drivers of SQL.

What a driver recorded of a result is its columns and its cells: sqlite3 the names with a statement
and the rows with each fetch, psycopg and psycopg2 both in one result, asyncpg a description with a
statement and messages with its execution, pg8000 messages that describe themselves, PyMySQL,
aiomysql, asyncmy and MySQL Connector/Python the packets of the server, its part in C, mysqlclient
and pyodbc names and rows as sqlite3 does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from retrace_core.codec import decode
from retrace_core.redaction.cells import postgresql_cell, value_cell
from retrace_core.redaction.lane_events import lane_events
from retrace_core.redaction.messagepack import token_at
from retrace_core.redaction.row_messages import message_cells
from retrace_core.redaction.row_packets import PacketRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.redaction.cells import Cell
    from retrace_core.redaction.lane_events import LaneEvent
    from retrace_core.redaction.names import Names
    from retrace_core.redaction.replacing import Region

    Spans = list[tuple[int, int]]

__all__ = ["LaneRows", "may_have_rows"]

_DRIVERS = tuple(
    b"sqlite3.execute apsw.execute psycopg asyncpg. pg8000. pymysql. aiomysql. asyncmy."
    b" mysqlclient. mysqlconnector pyodbc.".split()
)
_DESCRIBED = ("asyncpg.prepare", "free.asyncpg.described")
_SQLITE = ("sqlite3", "apsw")
_RESULTS = ("execute", "catalog", "nextset")
_FETCHED = (*_SQLITE, "mysqlclient", "mysqlconnector_c", "pyodbc")
_ASKED_APART = ("asyncmy", "mysqlconnector")
_PACKETS = ("pymysql", "aiomysql", *_ASKED_APART)
_EXECUTE_PREPARED = 0x17
_RESULT = 5
_COLUMN = 7
_DEPTH = 4
_raws = msgspec.msgpack.Decoder(list[msgspec.Raw])


def may_have_rows(data: bytes, region: Region) -> bool:
    """Return True for a lane in which a driver of SQL's was asked."""
    return any(data.find(one, region.begin, region.end) >= 0 for one in _DRIVERS)


class LaneRows:
    """What a lane recorded of results.

    Args:
        data: a recording.
        region: of its lane.
        names: says which columns are secret.

    Raises:
        ValueError: the region is no lane.
    """

    def __init__(self, data: bytes, region: Region, names: Names) -> None:
        self._data = data
        self._is_secret = names.is_secret
        self._events = list(lane_events(data, region))
        self.descriptions: Spans = []
        """Where columns of asyncpg's stand with the numbers of their types."""
        self._described: dict[str, list[tuple[str, int, bool]]] = {}
        for event in self._events:
            if event.kind in _DESCRIBED:
                self.descriptions.append((event.value, event.end))
                said = decode(data[event.value : event.end])
                columns = [(str(name), int(kind), True) for name, kind in said.get("columns", ())]
                self._described[_asked(data, event)] = columns

    def cells(self) -> Iterator[Cell]:
        """Yield the values of secret columns."""
        names: list[str] = []
        packets: dict[str, PacketRows] = {}
        for event in self._events:
            family, _, what = event.kind.partition(".")
            if family in _SQLITE and what in ("execute", "executemany"):
                names = decode(self._data[event.value : event.end])[0] or []
            elif event.kind == "mysqlclient.store" or (family == "pyodbc" and what in _RESULTS):
                names = decode(self._data[event.value : event.end])[0] or []
            elif family in _FETCHED and what == "fetch":
                yield from self._fetched(event, names)
            elif family in ("psycopg", "psycopg2"):
                yield from self._results(event.value, event.end, _DEPTH)
            elif family in ("asyncpg", "pg8000"):
                yield from self._messages(event)
            elif family in _PACKETS:
                if family in _ASKED_APART:  # the next question, or the next part of an answer
                    key = decode(self._data[event.key : event.value])
                    if isinstance(key, list | tuple):
                        binary = key[0] == _EXECUTE_PREPARED
                        packets[family] = PacketRows(self._is_secret, binary=binary)
                token = token_at(self._data, event.value)
                if token.kind == "text":
                    rows = packets.setdefault(family, PacketRows(self._is_secret))
                    yield from rows.cells(self._data, token.begin, token.end)

    def _fetched(self, event: LaneEvent, names: list[str]) -> Iterator[Cell]:
        begin, end = event.value, event.end
        if token_at(self._data, begin).kind == "wrap":  # with counts, and names of its own
            parts = self._parts(begin, end)
            begin, end = parts[0]
            if len(parts) > 3:
                names = decode(self._data[parts[3][0] : parts[3][1]]) or []
        secret = {place: name for place, name in enumerate(names) if self._is_secret(name)}
        if not secret:
            return
        for row in self._parts(begin, end):
            cells = self._parts(*row)
            if len(cells) != len(names):
                return
            for place, name in secret.items():
                cell = value_cell(self._data, name, *cells[place])
                if cell is not None:
                    yield cell

    def _results(self, begin: int, end: int, depth: int) -> Iterator[Cell]:
        parts = self._parts(begin, end)
        if len(parts) == _RESULT and token_at(self._data, parts[0][0]).kind == "int":
            columns = [self._parts(*one) for one in self._parts(*parts[1])]
            if all(len(column) == _COLUMN for column in columns):
                yield from self._result(columns, parts[2])
                return
        if depth:
            for part in parts:
                yield from self._results(*part, depth - 1)

    def _result(self, columns: list[Spans], rows: tuple[int, int]) -> Iterator[Cell]:
        secret: dict[int, tuple[str, int, bool]] = {}
        for place, column in enumerate(columns):
            name = self._value(column[0])
            name = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
            if self._is_secret(name):
                kind = cast("int", self._value(column[3]))
                secret[place] = (name, kind, self._value(column[6]) == 1)
        if not secret:
            return
        for row in self._parts(*rows):
            cells = self._parts(*row)
            for place, (name, kind, binary) in secret.items():
                token = token_at(self._data, cells[place][0])
                if token.kind == "text":
                    begin, end = token.begin, token.end
                    cell = postgresql_cell(self._data, name, begin, end, kind, binary=binary)
                    if cell is not None:
                        yield cell

    def _messages(self, event: LaneEvent) -> Iterator[Cell]:
        token = token_at(self._data, event.value)
        if token.kind == "text" and not event.kind.startswith("asyncpg.copy"):
            columns = self._described.get(_asked(self._data, event), [])
            begin, end = token.begin, token.end
            yield from message_cells(self._data, begin, end, columns, self._is_secret)

    def _value(self, span: tuple[int, int]) -> object:
        return decode(self._data[span[0] : span[1]])

    def _parts(self, begin: int, end: int) -> Spans:
        """Return where the items of an array stand; none for what is no array."""
        token = token_at(self._data, begin)
        while token.kind == "wrap":
            token = token_at(self._data, token.begin)
        if token.kind != "array":
            return []
        framed = b"\xdd" + token.size.to_bytes(4, "big") + self._data[token.begin : end]
        found: Spans = []
        place = token.begin
        for raw in _raws.decode(framed):
            found.append((place, place + len(memoryview(raw))))
            place = found[-1][1]
        return found


def _asked(data: bytes, event: LaneEvent) -> str:
    """Return the statement in an event's key."""
    key = decode(data[event.key : event.value])
    return str(key[0]) if isinstance(key, list | tuple) and key else ""
