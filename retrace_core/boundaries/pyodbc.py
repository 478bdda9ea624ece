"""pyodbc: statements and their rows, above the driver that is in C.

Hook: `pyodbc.connect`. Its connections and cursors can be neither changed nor subclassed, so ours
stand before them; on replay nothing is behind. Rows are pyodbc's own, also on replay. What output
converters make of a value is recorded; they are not called again. Read in pyodbc 5.1 to 5.5.
"""

from __future__ import annotations

import datetime
import decimal
import functools
import re
import uuid
from typing import TYPE_CHECKING, Any, cast

import pyodbc

from retrace_core.boundary import Boundary, Patch, attempt, call, in_replay
from retrace_core.errors import LiveCallRefused
from retrace_core.generated_names import without_generated_names
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_PLACE = ("dsn", "server", "port", "database")
"""What of a connection string says where it leads; it may have a password, too."""
_PART = re.compile(r"\s*([^=;{}]+?)\s*=\s*({(?:[^}]|}})*}|[^;]*)")
_CATALOG = frozenset(
    "columns foreignKeys getTypeInfo primaryKeys procedureColumns procedures rowIdColumns"
    " rowVerColumns statistics tablePrivileges tables".split()
)
_TYPES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *(bool, int, float, str, bytes, bytearray, decimal.Decimal, uuid.UUID),
        *(datetime.datetime, datetime.date, datetime.time),
    )
}
"""By name, what a column's description may say that its values are."""
_SET_UP: dict[str, Any] = {
    "autocommit": False,
    "closed": False,
    "maxwrite": 0,
    "searchescape": "\\",
    "timeout": 0,
}
"""What a connection says of itself that has nothing behind it, before it is told otherwise."""

Said = tuple[Any, Any, int, Any]
"""What a cursor says of a result: names and types of its columns, row count, messages."""

_NOTHING: Said = (None, [], -1, None)


class _StandIn:
    """Stands before an object of pyodbc's, and says what that says; on replay it stands alone."""

    _real: Any
    """What is behind it, None on replay."""
    _set: dict[str, Any]
    """Its attributes where nothing is behind it."""

    def __getattr__(self, name: str) -> Any:
        if self._real is not None:
            return getattr(self._real, name)
        if name in self._set:
            return self._set[name]
        if hasattr(self.__class__, name):
            return _nothing  # setting it up
        raise AttributeError(f"{self.__class__.__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if self._real is not None:
            setattr(self._real, name, value)
        else:
            self._set[name] = value


class Connection(_StandIn):
    """Stands before a connection of pyodbc's; on replay alone.

    Args:
        real: what is behind it, None on replay.
        place: where it leads, as `connect` was told.
        options: what a replayed one was told beside that.
    """

    __class__ = property(lambda _: pyodbc.Connection)  # pyright: ignore[reportIncompatibleMethodOverride]

    def __init__(self, real: Any, place: list[str], options: dict[str, Any]) -> None:
        own = vars(self)
        own["_real"], own["_place"] = real, place
        own["_set"] = {**_SET_UP, "autocommit": bool(options.get("autocommit"))}

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        if not self.autocommit:
            self.commit() if kind is None else self.rollback()

    def cross(
        self,
        what: str,
        key: object,
        live: Callable[[], Any],
        encode: Any = None,
        decode: Any = None,
    ) -> Any:
        """Return the outcome of what is asked of the server: an event, in a lane."""
        lane = current()
        if lane is None:
            return live() if self._real is not None else None
        if (lane.mode == REPLAY) != (self._real is None):
            raise LiveCallRefused(
                f"pyodbc.{what}", "a server, on a connection from before the replay"
            )
        return call(lane, f"pyodbc.{what}", key, live, encode, decode)

    def question(self, sql: Any, *rest: Any) -> list[Any]:
        """Return what a statement asks, and of which database."""
        return [*self._place, without_generated_names(sql) if isinstance(sql, str) else sql, *rest]

    def cursor(self) -> Cursor:
        """Return a cursor."""
        return Cursor(self, None if self._real is None else self._real.cursor())

    def execute(self, sql: str, *params: Any) -> Cursor:
        """Make a cursor and run one statement on it."""
        return self.cursor().execute(sql, *params)

    def commit(self) -> None:
        """Commit the transaction."""
        self.cross("commit", None, lambda: self._real.commit())

    def rollback(self) -> None:
        """Roll the transaction back."""
        self.cross("rollback", None, lambda: self._real.rollback())

    def getinfo(self, number: int) -> Any:
        """Return what the driver says of itself and of the server."""
        return self.cross("getinfo", self.question(number), lambda: self._real.getinfo(number))

    def close(self) -> None:
        """Close it."""
        if self._real is not None:
            self._real.close()
        else:
            self._set["closed"] = True


class Cursor(_StandIn):
    """Stands before a cursor of pyodbc's; on replay alone."""

    __class__ = property(lambda _: pyodbc.Cursor)  # pyright: ignore[reportIncompatibleMethodOverride]

    def __init__(self, connection: Connection, real: Any) -> None:
        own = vars(self)
        own["connection"], own["_real"] = connection, real
        own["_set"] = {"arraysize": 1, "fast_executemany": False, "noscan": False}
        self._says(_NOTHING)

    def _says(self, said: Said) -> None:
        names, types, rowcount, messages = said
        description = names and tuple(
            (name, _TYPES.get(kind, str), *more)
            for name, (kind, *more) in zip(names, types, strict=True)
        )
        self._set.update(description=description, rowcount=rowcount, messages=messages)

    def __getattr__(self, name: str) -> Any:
        if name in _CATALOG:
            return functools.partial(self._catalog, name)
        return super().__getattr__(name)

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None and not self.connection.autocommit:
            self.commit()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    def _ask(self, what: str, key: object, live: Callable[[], Any]) -> Cursor:
        said = self.connection.cross(what, key, live, self._said)
        if self._real is None and said is not None:
            self._says(said)
        return self

    def _said(self, _: object = None) -> Said:
        real = self._real
        columns = real.description or ()
        types = [[getattr(kind, "__name__", ""), *more] for _, kind, *more in columns]
        names = [column[0] for column in columns] or None
        return names, types, real.rowcount, getattr(real, "messages", None)

    def execute(self, sql: str, *params: Any) -> Cursor:
        """Run one statement."""
        key = self.connection.question(sql, [_plain(one) for one in params])
        return self._ask("execute", key, lambda: self._real.execute(sql, *params))

    def executemany(self, sql: str, params: Iterable[Any]) -> None:
        """Run one statement for each row of parameters."""
        rows = list(params)
        key = self.connection.question(sql, [_plain(row) for row in rows])
        self._ask("executemany", key, lambda: self._real.executemany(sql, rows))

    def _catalog(self, name: str, *args: Any, **options: Any) -> Cursor:
        key = self.connection.question(name, list(args), options)
        return self._ask("catalog", key, lambda: getattr(self._real, name)(*args, **options))

    def _fetch(self, key: object, live: Callable[[], list[Any]]) -> list[Any]:
        made = self.connection.cross("fetch", key, live, self._values, self._rows)
        return [] if made is None else made

    def _values(self, rows: list[Any]) -> tuple[Any, ...]:
        """Return rows as values, with their columns' names, as `redaction.rows` reads them."""
        names = [column[0] for column in self._real.description or ()]
        values = [row if isinstance(row, dict) else tuple(row) for row in rows]
        return values, self._real.rowcount, None, names

    def _rows(self, outcome: tuple[Any, ...]) -> list[Any]:
        """Return recorded rows as pyodbc's."""
        values, self._set["rowcount"], *_ = outcome
        description = self._set["description"] or ()
        places = {column[0]: place for place, column in enumerate(description)}
        made: Any = pyodbc.Row
        return [row if isinstance(row, dict) else made(description, places, *row) for row in values]

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        rows = self._fetch(1, lambda: [row] if (row := self._real.fetchone()) is not None else [])
        return rows[0] if rows else None

    def fetchval(self) -> Any:
        """Return the first value of the next row, or None."""
        row = self.fetchone()
        if row is None:
            return None
        return next(iter(row.values())) if isinstance(row, dict) else row[0]

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return the next rows, `arraysize` by default."""
        wanted = self.arraysize if size is None else size
        return self._fetch(wanted, lambda: self._real.fetchmany(wanted))

    def fetchall(self) -> list[Any]:
        """Return all remaining rows."""
        return self._fetch("all", lambda: self._real.fetchall())

    def skip(self, count: int) -> None:
        """Leave out the next rows."""
        self.connection.cross("skip", count, lambda: self._real.skip(count))

    def nextset(self) -> bool:
        """Go to the next result; False where there is none."""

        def encode(found: bool) -> Any:
            return (*(self._said() if found else _NOTHING), found)

        def decode(outcome: Any) -> bool:
            *said, found = outcome
            self._says(cast("Said", said))
            return bool(found)

        live = lambda: bool(self._real.nextset())  # noqa: E731
        return bool(self.connection.cross("nextset", None, live, encode, decode))

    def commit(self) -> None:
        """Commit the transaction of its connection."""
        self.connection.commit()

    def rollback(self) -> None:
        """Roll the transaction of its connection back."""
        self.connection.rollback()

    def close(self) -> None:
        """Close it."""
        if self._real is not None:
            self._real.close()


def _nothing(*_: Any, **__: Any) -> None:
    """Do nothing: there is nothing that it could be done to."""


def _plain(parameter: Any) -> Any:
    return list(parameter) if isinstance(parameter, list | tuple | pyodbc.Row) else parameter


def _place(connection_string: Any, options: dict[str, Any]) -> list[str]:
    """Return where a connection leads, without who connects."""
    parts = {name.lower(): value for name, value in _PART.findall(str(connection_string or ""))}
    parts.update((name.lower(), str(value)) for name, value in options.items())
    return [parts.get(name, "") for name in _PLACE]


def _hooked_connect(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def connect(*args: Any, **options: Any) -> Connection:
        place = _place(args[0] if args else options.get("connstring"), options)

        def live() -> Connection:
            return Connection(original(*args, **options), place, options)

        def stub() -> Connection:
            return Connection(None, place, options)

        lane, connecting = current(), stub if in_replay() else live
        if lane is None:
            return connecting()
        return attempt(lane, "pyodbc.connect", place, connecting, stub)

    return connect


BOUNDARY = Boundary(
    kind="pyodbc",
    supports="pyodbc>=5.1",
    hooks=(Patch(pyodbc, "connect", _hooked_connect),),
    errors=("pyodbc",),
)
