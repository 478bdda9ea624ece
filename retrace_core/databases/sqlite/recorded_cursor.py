"""Cursor of sqlite3 whose work inside a scope is recorded, or answered from a recording."""

from __future__ import annotations

import functools
import itertools
import sqlite3
from typing import TYPE_CHECKING, Any, TypeVar

from retrace_core.boundary import mask
from retrace_core.databases.sqlite.batch import raising, used_up
from retrace_core.databases.sqlite.cells import cooked, cooks, raw
from retrace_core.databases.sqlite.parameters import adapted
from retrace_core.errors import NotOnTape
from retrace_core.generated_names import without_generated_names
from retrace_core.lane_hook import lane_hook
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Cursor", "cursor_class"]

T = TypeVar("T")

_EXECUTE, _MANY, _SCRIPT = "sqlite3.execute", "sqlite3.executemany", "sqlite3.executescript"
_ROWS = "sqlite3.fetch"
_NO_ROWCOUNT = -1

_BaseCursor = sqlite3.Cursor
_latest = (0, 0)
"""Ids of the lane and the cursor of the statement that ran last, whoever's it was."""


def _hooked(hook: Callable[..., T]) -> Callable[..., T]:
    """Return a method that is sqlite3's own while nothing is recorded or replayed."""
    original: Callable[..., T] = getattr(_BaseCursor, hook.__name__)
    return lane_hook(original, hook, anywhere=True)


class Cursor(sqlite3.Cursor):
    """A cursor whose work inside a scope is recorded, or answered from a recording."""

    _answer: tuple[Any, Any, Any] | None = None
    """(description, rowcount, lastrowid) of a replayed statement."""
    _is_live = False
    """True while a replay's own database answers."""
    _is_latest = True
    """False while rows are fetched after another statement ran."""
    _owner: Any = None
    """The application's connection, once replay has put the cursor on a scratch one."""

    def _run(self, lane: Any, kind: str, live: Callable[..., Any], *args: Any) -> Cursor:
        global _latest
        failed: Exception | None = None
        has_rows = len(args) == 2
        if kind == _MANY and has_rows:
            # An iterator of the application's is used up here; the rows are the key.
            rows, failed = used_up(args[1], adapted)
            args = (args[0], rows if failed is None else itertools.chain(rows, raising(failed)))
            key: object = (args[0], rows)
        else:
            if has_rows:
                key = args = (args[0], adapted(args[1]))
                if not args[1] and isinstance(args[0], str):
                    key = (without_generated_names(args[0]), args[1])
            else:
                key = args[0] if args else None
                if isinstance(key, str):  # a savepoint's name is no parameter
                    key = without_generated_names(key)
        if lane.mode == REPLAY:
            if self._begins_live(lane, kind, key):
                with mask():
                    live(*args)
                return self
            try:
                outcome = self._own()._cross(lane, kind, key, None, _nothing)
                if outcome is None:  # of the process's own work, whose tape does not have it
                    raise NotOnTape(kind, repr(key)[:200])
                self._replayed(outcome)
            except Exception:
                if failed is not None:
                    raise failed from None
                raise
        else:
            connection = _CONNECTION(self)
            if connection.calls_back is not None and connection.calls_back.functions:
                connection._cross(lane, kind, key, self._outcome, live, *args)
            else:
                lane.call(kind, key, self._outcome, live, *args)
            _latest = (id(lane), id(self))
        return self

    def _begins_live(self, lane: Any, kind: str, key: object) -> bool:
        """Return True when the statement, and what is fetched of it, is not from the recording."""
        owner = self._own()
        self._is_live = owner._is_live(lane, kind, key)
        if self._is_live:
            self._answer = None
            if self._owner is not None:  # back from the scratch connection
                self._owner = None
                _BaseCursor.__init__(self, owner)
        return self._is_live

    def _own(self) -> Any:
        return self._owner or _CONNECTION(self)

    def _outcome(self, _: Any) -> tuple[Any, ...]:
        return (self._names(), _ROWCOUNT(self), _LASTROWID(self))

    def _names(self) -> list[str] | None:
        description = _DESCRIPTION(self)
        return None if description is None else [column[0] for column in description]

    def _replayed(self, outcome: Any) -> None:
        names, rowcount, lastrowid = outcome
        description = names and tuple((name, *(None,) * 6) for name in names)
        self._answer = (description, rowcount, lastrowid)
        if names:
            self._name_columns(names)

    def _name_columns(self, names: list[str]) -> None:
        """Give the C cursor itself columns of these names: `sqlite3.Row` looks at those.

        On a connection of ours: callbacks and limits of the application's are not for this.
        """
        factory, size = self.row_factory, self.arraysize
        if self._owner is None:
            self._owner = _CONNECTION(self)
            _BaseCursor.__init__(self, self._owner._scratch())
        columns = ", ".join('NULL AS "{}"'.format(name.replace('"', '""')) for name in names)
        self.row_factory = None
        _BaseCursor.fetchall(_BaseCursor.execute(self, f"SELECT {columns}"))
        self.row_factory, self.arraysize = factory, size

    @_hooked
    def execute(self, *args: Any) -> Any:
        """Run one statement."""
        lane = current()
        if lane is None:
            self._answer = None
            return super().execute(*args)
        return self._run(lane, _EXECUTE, super().execute, *args)

    @_hooked
    def executemany(self, *args: Any) -> Any:
        """Run one statement for each row of parameters."""
        lane = current()
        if lane is None:
            self._answer = None
            return super().executemany(*args)
        return self._run(lane, _MANY, super().executemany, *args)

    @_hooked
    def executescript(self, *args: Any) -> Any:
        """Run several statements."""
        lane = current()
        if lane is None:
            self._answer = None
            return super().executescript(*args)
        return self._run(lane, _SCRIPT, super().executescript, *args)

    def _fetch(self, lane: Any, live: Callable[..., list[Any]], *args: Any) -> list[Any]:
        """Return rows as the application's row factory makes them, recorded as tuples."""
        factory, connection = self.row_factory, self._owner or _CONNECTION(self)
        if lane.mode == REPLAY:
            rows = self._fetched(connection._cross(lane, _ROWS, None, None, list) or [])
            rows = list(cooked(rows, connection.text_factory))
        else:
            makes = connection._detects or connection.text_factory is not str
            if makes and (makes := cooks(connection._detects, connection.text_factory)):
                live = functools.partial(raw, connection, live)
            self.row_factory = None
            self._is_latest = _latest == (id(lane), id(self))
            try:
                if connection.calls_back is not None and connection.calls_back.functions:
                    rows = connection._cross(lane, _ROWS, None, self._rows, live, *args)
                else:
                    rows = lane.call(_ROWS, None, self._rows, live, *args)
            finally:
                self.row_factory = factory
            if makes:
                rows = list(cooked(rows, connection.text_factory))
        return rows if factory is None else [factory(self, row) for row in rows]

    def _rows(self, rows: list[Any]) -> Any:
        # A statement with RETURNING counts its rows as they are fetched.
        rowcount = _ROWCOUNT(self)
        if not self._is_latest:  # whose they are, the recording would not tell
            return (rows, rowcount, _LASTROWID(self), self._names())
        return rows if rowcount == _NO_ROWCOUNT else (rows, rowcount, _LASTROWID(self))

    def _fetched(self, outcome: Any) -> list[Any]:
        if not isinstance(outcome, tuple):
            return list(outcome)
        rows, rowcount, lastrowid, *_ = outcome
        description = self._answer[0] if self._answer is not None else None
        self._answer = (description, rowcount, lastrowid)
        return list(rows)

    @_hooked
    def fetchone(self) -> Any:
        """Return the next row, or None."""
        lane = current()
        if lane is None or self._is_live:
            return super().fetchone() if self._answer is None else None
        rows = self._fetch(lane, _listed, super().fetchone)
        return rows[0] if rows else None

    @_hooked
    def fetchmany(self, size: int | None = None) -> Any:
        """Return the next rows."""
        wanted = self.arraysize if size is None else size
        lane = current()
        if lane is None or self._is_live:
            return super().fetchmany(wanted) if self._answer is None else []
        return self._fetch(lane, super().fetchmany, wanted)

    @_hooked
    def fetchall(self) -> Any:
        """Return all remaining rows."""
        lane = current()
        if lane is None or self._is_live:
            return super().fetchall() if self._answer is None else []
        return self._fetch(lane, super().fetchall)

    def __iter__(self) -> Any:
        return self

    @_hooked
    def __next__(self) -> Any:
        lane = current()
        if lane is None or self._is_live:
            if self._answer is not None:
                raise StopIteration
            return super().__next__()
        rows = self._fetch(lane, _listed, super().__next__)
        if not rows:
            raise StopIteration
        return rows[0]


def _listed(one: Callable[[], Any]) -> list[Any]:
    try:
        row = one()
    except StopIteration:
        return []
    return [] if row is None else [row]


_CONNECTION: Any = _BaseCursor.__dict__["connection"].__get__
_DESCRIPTION: Any = _BaseCursor.__dict__["description"].__get__
_ROWCOUNT: Any = _BaseCursor.__dict__["rowcount"].__get__
_LASTROWID: Any = _BaseCursor.__dict__["lastrowid"].__get__
_SHOWN: dict[str, Callable[[Any], Any]] = {
    "connection": lambda cursor: cursor._owner or _CONNECTION(cursor),
    "description": lambda cursor: (cursor._answer or (_DESCRIPTION(cursor),))[0],
    "rowcount": lambda cursor: cursor._answer[1] if cursor._answer else _ROWCOUNT(cursor),
    "lastrowid": lambda cursor: cursor._answer[2] if cursor._answer else _LASTROWID(cursor),
}
for _name, _shown in _SHOWN.items():
    setattr(Cursor, _name, property(_shown))


def _nothing(*_: object) -> Any:
    return None


@functools.cache
def cursor_class(base: Any) -> Any:
    """Return a subclass of the application's cursor class that records."""
    if base is _BaseCursor:
        return Cursor
    if not isinstance(base, type) or issubclass(base, Cursor):
        return base
    return type(base.__name__, (base, Cursor), {"__module__": base.__module__})
